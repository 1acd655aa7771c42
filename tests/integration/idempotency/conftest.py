"""One application for all tests of a module, and somebody who asks it; each test has keys of its own."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders.caller import Caller
from tests.conftest import a_database, a_folder
from tests.world.rig import Rig
from tests.world.server import World

PLAN: dict[str, Any] = {
    "summary": "Look at the hall",
    "context": {"environment": "dev"},
    "steps": [{"stage": "diagnose", "tool": "lamp", "action": "look", "input": {"lamp": "hall"}}],
}


@pytest.fixture(scope="module")
def site(postgres):
    with a_database(postgres) as database, a_folder() as folder:
        world = World()
        world.base_url = "http://127.0.0.1:9"
        rig = Rig(database.app_url, world, folder / "data")
        yield Site(rig.app, database)
        rig.close()


class Site:
    """The application, whoever asks it, and its keys' rows."""

    def __init__(self, app, database):
        self.app, self.database = app, database
        self.ask = Caller(app)

    def but(self, **parts):
        """Return the same site with other parts in its application: what another process of it might be."""
        return Site(replace(self.app, **parts), self.database)

    def plan(self, key, by="ada", **more):
        return self.ask("POST", "/v1/plans", {**PLAN, **more}, key=key, by=by)

    def row(self, key):
        """Return what is kept of a key, None if nothing is."""
        with self.database.as_superuser() as connection:
            rows = connection.run(
                "SELECT state, sealed, withheld, trace, attempt FROM idempotency_keys WHERE key = :key", key=key
            )
            assert len(rows) <= 1
            names = [each["name"] for each in connection.columns]
        return dict(zip(names, rows[0], strict=True)) if rows else None

    def plans_named(self, summary):
        """Return how many plans have this summary."""
        with self.database.as_superuser() as connection:
            query = "SELECT count(*) FROM plan_versions WHERE body ->> 'summary' = :summary"
            return connection.run(query, summary=summary)[0][0]

    def let_pass(self, key, what):
        """Let so much time pass for a key, given as Postgres' intervals are."""
        with self.database.as_superuser() as connection:
            connection.run(
                "UPDATE idempotency_keys SET claimed_at = claimed_at - CAST(:what AS interval),"
                " leased_until = leased_until - CAST(:what AS interval) WHERE key = :key",
                key=key,
                what=what,
            )
