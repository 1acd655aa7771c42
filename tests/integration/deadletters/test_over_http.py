"""Dead letters over HTTP: who may, and what a run makes of a message that comes again."""

import pytest
from tests.builders.caller import Caller
from tests.world.rig import a_call, act, check

from carapulse.audit.model import EventFilter
from carapulse.executions.model import Status


@pytest.fixture
def ask(rig):
    return Caller(rig.app)


@pytest.fixture
def run(rig, database):
    """Let the message of a run's first step be given up, and return the run as it ended."""
    execution = rig.start(rig.plan(act("ring", "hall"), check("hall")))
    with database.as_superuser() as connection:
        connection.run("UPDATE messages SET attempts = 1000 WHERE type = 'AdvanceExecution'")
    return rig.finish(execution)


def happened(rig, stream):
    with rig.app.begin(a_call()) as work:
        return [each.type for each in work.evidence.page(EventFilter(stream=stream, limit=200)).data]


def test_a_replayed_step_of_a_run_that_is_over_does_nothing(rig, ask, run, world):
    (letter,) = ask("GET", "/v1/dead-letters", role="operator").json()["data"]
    before = happened(rig, run.plan_id)

    answer = ask("POST", f"/v1/dead-letters/{letter['id']}:replay", {"note": "the database is back"}, role="operator")
    rig.workers.run_until_idle()

    assert (run.status, letter["type"], letter["body"]["execution_id"]) == (Status.FAILED, "AdvanceExecution", run.id)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "replayed")
    assert (world.effects, rig.state(run.id), happened(rig, run.plan_id)) == ([], run, before)
    assert ask("GET", "/v1/dead-letters").json() == {"data": [], "next_cursor": None}
    assert happened(rig, letter["id"]) == ["MessageReplayed", "MessageBuried"]


def test_whoever_may_not_is_refused_and_another_tenant_finds_nothing(rig, ask, run):
    (letter,) = ask("GET", "/v1/dead-letters", role="auditor").json()["data"]
    path, why = f"/v1/dead-letters/{letter['id']}", {"note": "why not"}

    assert ask("GET", path, role="security").json() == letter
    assert ask("GET", "/v1/dead-letters", role="viewer").status_code == 403
    assert ask("POST", f"{path}:replay", why, role="auditor").status_code == 403
    assert ask("POST", f"{path}:discard", why, role="operator").status_code == 403
    for verb in ("replay", "discard"):
        assert ask("POST", f"{path}:{verb}", {}).status_code == 422
        assert ask("POST", f"{path}:{verb}", {"note": " "}).status_code == 422
        foreign = ask("POST", f"{path}:{verb}", why, tenant="rival")
        assert (foreign.status_code, foreign.json()["code"]) == (404, "dead-letter-not-found")
        nowhere = ask("POST", f"/v1/dead-letters/message_0:{verb}", why).json()
        assert told(foreign.json(), letter["id"]) == told(nowhere, "message_0")
    assert ask("GET", path, tenant="rival").status_code == 404
    assert ask("GET", "/v1/dead-letters", tenant="rival").json()["data"] == []

    assert ask("POST", f"{path}:replay", why, role="sre").status_code == 202
    assert ask("POST", f"{path}:replay", why, role="sre").json()["code"] == "message-not-dead"


def told(body, message_id):
    """Return what an answer says, but for which request it was."""
    assert body["message_id"] == message_id
    return {name: value for name, value in body.items() if name not in {"message_id", "trace_id"}}
