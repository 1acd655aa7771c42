"""orchestration: what a state machine asks is answered on Lambda, and what fails does not take others with it."""

import time

import pytest
from tests.functions.clouds import on_lambda
from tests.functions.conftest import an_installation
from tests.world.machines import a_machine

from carapulse.plans.requests import CreatePlan
from carapulse.plans.usecases import create_plan


@pytest.fixture
def machine(database):
    with a_machine(database.name.replace("_", "-")) as made:
        yield made


@pytest.fixture
def conducted(database, tmp_path, machine):
    with an_installation(database, tmp_path / "data", machine.queues, machine.arn) as one:
        yield one


def a_plan(installation):
    look = {"stage": "verify", "tool": "http", "action": "probe"}
    step = {**look, "input": {"url": f"http://127.0.0.1:{installation.shop.server_port}/"}, "expect": EXPECTED}
    command = {"summary": "Look", "context": {"environment": "dev"}, "steps": [step]}
    return create_plan(CreatePlan.model_validate(command), installation.call(), installation.app)


EXPECTED = [{"path": "text", "op": "eq", "value": "open"}]


def asked(installation):
    """Wait for what the machine sends, and return it."""
    until = time.monotonic() + 20
    while not (texts := installation.envelopes("orchestration")):
        assert time.monotonic() < until, "the machine asked nothing"
        time.sleep(0.05)
    return texts


def test_orchestration_starts_a_machine_and_answers_it_on_lambda_whatever_else_is_in_the_batch(conducted, machine):
    a_plan(conducted)
    with on_lambda("orchestration", conducted.environment) as function:
        assert function.messages(*asked(conducted)) == []
        (question,) = asked(conducted)
        assert function.messages("poison", question, question) == [0]
        (still,) = asked(conducted)
        assert function.messages(still) == []

    (arn,) = machine.executions()
    assert machine.entered(arn)[:3] == ["Decide", "Next", "AwaitStart"]
    assert conducted.rows("SELECT asked FROM machine_waits") == [("AwaitStart",)]


def test_orchestration_does_not_begin_where_nothing_would_ask_it(installation):
    with on_lambda("orchestration", installation.environment) as function:
        kind, said = function.begun()

    assert kind == "error"
    assert "CARAPULSE_ORCHESTRATOR=step-functions" in said["errorMessage"]
