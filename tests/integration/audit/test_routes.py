"""The log and its evidence over HTTP, through the whole edge."""

from datetime import timedelta

import anyio
import httpx
import pytest
from tests.builders.log import App, a_call, write
from tests.builders.rates import HttpChosen, unlimited

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.audit.note import Signer
from carapulse.audit.usecases import make_checkpoint
from carapulse.audit.verifier import verify
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.refusals import RefusalLog
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app


class HttpApp(App):
    def serve(self, folder):
        self.issuer = DevelopmentIssuer.load_or_make(folder)
        self.sealer = AesGcmSealer.load_or_make(folder)
        self.tokens = TokenVerifier([self.issuer.issuer], self.clock)
        self.refusals = RefusalLog(self.begin, self.clock)
        return self

    rates = unlimited()
    settings = HttpChosen()

    def ready(self):
        return {"database": True}


@pytest.fixture
def app(database, tmp_path):
    engine = connect(database.app_url)
    yield HttpApp(engine, SystemClock(), Signer.new("carapulse.dev/log/test")).serve(tmp_path)
    engine.dispose()


class Http:
    def __init__(self, app):
        self.application = make_app(app, ROUTERS)

    def get(self, path, **rest):
        async def ask():
            transport = httpx.ASGITransport(self.application)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(path, **rest)

        return anyio.run(ask)


@pytest.fixture
def http(app):
    return Http(app)


def bearer(app, *, tenant="acme", role="auditor"):
    token = app.issuer.mint(tenant, "ada", frozenset({role}), timedelta(minutes=5))
    return {"authorization": f"Bearer {token}"}


def test_an_auditor_takes_evidence_and_the_key_and_verifies_it(app, http):
    write(app)

    answer = http.get("/v1/plans/plan_1/evidence", headers=bearer(app))
    key = http.get("/v1/audit/key", headers=bearer(app)).text
    latest = http.get("/v1/audit/checkpoints/latest", headers=bearer(app)).text
    assert answer.headers["content-type"] == "application/vnd.dsse.envelope.v1+json"
    assert verify(answer.content, key, witness=latest).faults == ()


def test_an_auditor_takes_the_keys_that_signed_before_too_the_newest_first(app, http):
    app.former_evidence_keys = (Signer.new("second").key, Signer.new("first").key)

    names = [line.partition("+")[0] for line in http.get("/v1/audit/key", headers=bearer(app)).text.splitlines()]
    assert names == ["carapulse.dev/log/test", "second", "first"]


@pytest.mark.parametrize(
    "path", ["/v1/audit/events", "/v1/audit/key", "/v1/audit/checkpoints/latest", "/v1/plans/plan_1/evidence"]
)
def test_only_who_may_see_the_log_sees_it(app, http, path):
    write(app)
    make_checkpoint(a_call(), app)

    assert http.get(path).status_code == 401
    assert http.get(path, headers=bearer(app, role="viewer")).status_code == 403
    assert http.get(path, headers=bearer(app)).status_code == 200


def test_another_tenant_finds_neither_events_nor_evidence(app, http):
    write(app)

    assert http.get("/v1/audit/events", headers=bearer(app, tenant="other")).json()["data"] == []
    answer = http.get("/v1/plans/plan_1/evidence", headers=bearer(app, tenant="other"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-evidence")


def test_before_the_first_checkpoint_there_is_none(app, http):
    answer = http.get("/v1/audit/checkpoints/latest", headers=bearer(app))

    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-checkpoint")


def test_events_are_filtered_by_the_query(app, http):
    write(app, count=3)
    query = {
        "plan_id": "plan_1",
        "type": "StepFinished",
        "actor_id": "ada",
        "from": "2020-01-01T00:00:00Z",
        "limit": "2",
    }

    first = http.get("/v1/audit/events", params=query, headers=bearer(app)).json()
    second = http.get("/v1/audit/events", params=query | {"cursor": first["next_cursor"]}, headers=bearer(app)).json()
    assert [entry["body"]["step"] for entry in first["data"] + second["data"]] == [2, 1, 0]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"from": "yesterday"},
        {"from": "2026-01-01T00:00:00"},
        {"to": "0001-01-01T00:00:00+14:00"},
        {"type": ""},
        {"type": "a\x00b"},
        {"actor_id": "x" * 301},
        {"actor": "ada"},
        {"since": "2020-01-01T00:00:00Z"},
        {"cursor": "nobody gave this out"},
        {"cursor": "a\x00b"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(app, http, query):
    answer = http.get("/v1/audit/events", params=query, headers=bearer(app))

    assert answer.status_code in {400, 422}, answer.text
