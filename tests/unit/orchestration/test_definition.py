"""The machine as it is deployed: what the emulators that it is tried on do not check."""

from pathlib import Path

from carapulse.orchestration.definition import definition, render
from carapulse.orchestration.model import Asked

MACHINE = definition()
STEP = MACHINE["States"]["ActSteps"]["ItemProcessor"]
FILE = Path(__file__).parents[3] / "infra" / "state_machines" / "change.asl.json"


def everywhere():
    return [*MACHINE["States"].items(), *STEP["States"].items()]


def places(state):
    """Return where a state may lead to."""
    yield from [state[key] for key in ("Next", "Default") if key in state]
    yield from [each["Next"] for each in [*state.get("Choices", ()), *state.get("Catch", ())]]


def reached(machine):
    found, ahead = set(), [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += places(machine["States"][name])
    return found


def test_what_is_deployed_is_what_the_code_says():
    assert FILE.read_text() == render()


def test_every_state_can_be_reached_and_none_leads_nowhere():
    assert reached(MACHINE) == set(MACHINE["States"])
    assert reached(STEP) == set(STEP["States"])


def test_every_wait_is_by_a_token_on_a_queue_and_has_an_end():
    tasks = [(name, state) for name, state in everywhere() if state["Type"] == "Task"]

    assert {name for name, _ in tasks} == set(Asked)
    for name, state in tasks:
        body = state["Parameters"]["MessageBody"]
        assert state["Resource"].endswith("sqs:sendMessage.waitForTaskToken")
        assert (body["asked"], body["token.$"]) == (name, "$$.Task.Token")
        assert state.keys() & {"TimeoutSeconds", "TimeoutSecondsPath"}
        assert "States.Timeout" in state["Catch"][0]["ErrorEquals"]
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_only_what_could_not_be_sent_is_sent_again():
    for _, state in everywhere():
        for retry in state.get("Retry", ()):
            assert all(error.startswith("SQS.") for error in retry["ErrorEquals"])


def test_an_attempt_has_a_heartbeat():
    assert STEP["States"]["Attempt"]["HeartbeatSecondsPath"] == "$.step.heartbeat_s"


def test_nothing_is_null_for_cloudformation_takes_no_such_value():
    assert "null" not in render()


def test_nothing_is_used_that_an_emulator_reads_differently():
    text = render()

    for word in ("QueryLanguage", "Assign", "Arguments", "IsPresent", "JSONata"):
        assert word not in text
