"""An application on a database of the test's own, and somebody who asks it over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from tests.builders.application import Application, MovableClock
from tests.builders.clients import a_client
from tests.builders.keys import keyed
from tests.builders.policy import the_engine
from tests.builders.served import served

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.refusals import RefusalLog
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app


@pytest.fixture(scope="session")
def policy():
    return the_engine()


@pytest.fixture
def app(database, policy):
    engine = connect(database.app_url, pool_size=24)
    yield Application(engine, policy)
    engine.dispose()


@dataclass(frozen=True)
class Served(Application):
    """The application, with what HTTP asks of it."""

    tokens: Any = None
    sealer: Any = None

    @cached_property
    def refusals(self):
        return RefusalLog(self.begin, self.clock)

    def ready(self):
        return {"database": True}


class Caller:
    """Asks over HTTP in somebody's name."""

    def __init__(self, client, issuer, clock):
        self.client, self.issuer, self.clock = client, issuer, clock

    def __call__(self, method, path, body=None, *, by="ada", role="operator", tenant="acme", **headers):
        token = self.issuer.mint(tenant, by, frozenset({role}), timedelta(hours=1))
        headers = {"authorization": f"Bearer {token}", **keyed(method), **headers}
        return self.client.request(method, path, json=body, headers=headers)

    def decide(self, plan, by="bob", role="approver", seen=None, **changed):
        etag = seen or self("GET", f"/v1/plans/{plan['plan_id']}").headers.get("etag", '"none"')
        body = {"plan_id": plan["plan_id"], "status": "approved", "digest": plan["digest"], "note": "ok", **changed}
        return self("POST", "/v1/approvals", body, by=by, role=role, **{"if-match": etag})


@pytest.fixture
def ask(database, policy, tmp_path):
    clock = SystemClock()
    issuer = DevelopmentIssuer.load_or_make(tmp_path)
    engine = connect(database.app_url)
    tokens, sealer = TokenVerifier([issuer.issuer], clock), AesGcmSealer.load_or_make(tmp_path)
    app = Served(engine, policy, MovableClock(clock.now()), tokens=tokens, sealer=sealer)
    http = make_app(app, ROUTERS)
    with served(http) as url, a_client(url) as client:
        yield Caller(client, issuer, app.clock)
    engine.dispose()
