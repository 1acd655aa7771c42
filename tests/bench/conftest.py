"""A durable Postgres of the bench's own, unlike the tests' fast one."""

from collections.abc import Iterator

import pytest
from tests.bench.measuring import Bench
from tests.conftest import a_folder
from tests.world.rig import Rig
from tests.world.server import a_world

from carapulse.adapters.embedded.database import APP, DATABASE, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres
from carapulse.adapters.postgres.migrate import migrate


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Start everything once for all benches."""
    with a_folder() as folder, a_world() as world:
        server = EmbeddedPostgres.start(folder)
        prepare(server)
        migrate(server.url(OWNER, DATABASE), APP)
        rig = Rig(server.url(APP, DATABASE), world, folder / "data", workers=8)
        bench = Bench(server, rig)
        bench.prepare()
        yield bench
        rig.close()
        server.stop()
