"""The state machine itself, in Amazon States Language: JSONPath, so that AWS and every emulator read it alike.

It is rendered from the names that the decider's answers have, so neither knows a state that the other doesn't.
Rendered into infra/state_machines/change.asl.json by `make docs`.
"""

import json
from typing import Any, Final

from carapulse.executions.model import Status
from carapulse.orchestration.conducting import end_of
from carapulse.orchestration.model import AWAITED, BROKEN, ENDS, STEPS, UNDO_STEPS, Asked, Turn

_ASK: Final = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
_ANSWER_S: Final = 1800  # an answer that takes longer is lost, or a dead letter
_PAUSE_S: Final = 60
_YEAR_S: Final = 31_536_000  # as long as Step Functions lets anything run; whatever ends then is carried on by another
_TRANSPORT: Final = ["SQS.SdkClientException", "SQS.SqsException", "SQS.AmazonSQSException"]
_LATE: Final = ["States.Timeout", "States.HeartbeatTimeout"]
_ASIDE: Final = "$.aside"  # what nobody reads; `null`, which keeps nothing, is not to be had in CloudFormation
_PAUSE: Final = "Pause"

State = dict[str, Any]


def render() -> str:
    """Return the machine's definition as it is deployed; the addresses of its queues are put in by CloudFormation."""
    return json.dumps(definition(), indent=2) + "\n"


def definition() -> State:
    """Return the machine's definition."""
    deciding = [*AWAITED, *STEPS.values(), UNDO_STEPS, *ends()]
    return {
        "Comment": "One change: rendered from carapulse.orchestration.definition, never edited",
        "StartAt": Asked.DECIDE.value,
        "TimeoutSeconds": _YEAR_S,
        "States": {
            Asked.DECIDE.value: _decide(),
            "Next": _choice("$.told.next", {name: name for name in deciding}, default=BROKEN),
            **{name.value: _await(name) for name in AWAITED},
            **{name: _steps() for name in (*STEPS.values(), UNDO_STEPS)},
            _PAUSE: {"Type": "Wait", "Seconds": _PAUSE_S, "Next": Asked.DECIDE.value},
            **{name: _end(name) for name in ends()},
            BROKEN: _fail(BROKEN, "nobody could say what is next; the clock starts another machine"),
        },
    }


def ends() -> list[str]:
    """Return every end that a change may have."""
    final = [status for status in Status if status not in {Status.RUNNING, Status.UNDOING, Status.NEEDS_HUMAN}]
    return [*map(end_of, final), *ENDS.values()]


def _decide() -> State:
    return {
        **_ask(Asked.DECIDE, "OrchestrationQueue", step=False),
        "TimeoutSeconds": _ANSWER_S,
        "ResultPath": "$.told",
        "Catch": [
            _catch(_LATE, Asked.DECIDE),
            _catch(["Carapulse.GivenUp", *_TRANSPORT], _PAUSE),
            _catch(["States.ALL"], BROKEN),
        ],
        "Next": "Next",
    }


def _await(asked: Asked) -> State:
    return {
        **_ask(asked, "OrchestrationQueue", step=False),
        "TimeoutSecondsPath": "$.told.wait_s",
        "ResultPath": _ASIDE,
        "Catch": [_catch(_LATE, Asked.DECIDE), _catch(["States.ALL"], _PAUSE)],
        "Next": Asked.DECIDE.value,
    }


def _steps() -> State:
    return {
        "Type": "Map",
        "ItemsPath": "$.told.steps",
        "MaxConcurrencyPath": "$.told.width",
        "ItemSelector": {"change.$": "$.change", "step.$": "$$.Map.Item.Value"},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": Asked.ATTEMPT.value,
            "States": _step(),
        },
        "ResultPath": _ASIDE,
        "Catch": [_catch(["States.ALL"], _PAUSE)],
        "Next": Asked.DECIDE.value,
    }


def _step() -> dict[str, State]:
    turns = {
        Turn.ATTEMPT.value: Asked.ATTEMPT.value,
        Turn.AWAIT.value: Asked.AWAIT_TURN.value,
        Turn.LEAVE.value: "Left",
    }
    return {
        Asked.ATTEMPT.value: {
            **_ask(Asked.ATTEMPT, "ExecutionsQueue", step=True),
            "TimeoutSecondsPath": "$.step.timeout_s",
            "HeartbeatSecondsPath": "$.step.heartbeat_s",
            "ResultPath": "$.told",
            "Catch": [_catch(_LATE, Asked.ATTEMPT), _catch(["States.ALL"], "PauseStep")],
            "Next": "Turn",
        },
        "Turn": _choice("$.told.next", turns, default="Left"),
        Asked.AWAIT_TURN.value: {
            **_ask(Asked.AWAIT_TURN, "OrchestrationQueue", step=True),
            "TimeoutSecondsPath": "$.told.wait_s",
            "ResultPath": _ASIDE,
            "Catch": [_catch(_LATE, Asked.ATTEMPT), _catch(["States.ALL"], "PauseStep")],
            "Next": Asked.ATTEMPT.value,
        },
        "PauseStep": {"Type": "Wait", "Seconds": _PAUSE_S, "Next": Asked.ATTEMPT.value},
        "Left": {"Type": "Pass", "Result": {}, "End": True},
    }


def _ask(asked: Asked, queue: str, *, step: bool) -> State:
    """Return a task that sends what it asks to a queue, and goes on when it is told to."""
    named = {name: f"$.step.{name}" for name in ("execution_id", "step_id", "phase")}
    body: State = {"change.$": "$.change", "asked": asked.value, "token.$": "$$.Task.Token"}
    if step:
        body["step"] = {f"{name}.$": place for name, place in named.items()}
    return {
        "Type": "Task",
        "Resource": _ASK,
        "Parameters": {"QueueUrl": f"${{{queue}}}", "MessageBody": body},
        "Retry": [{"ErrorEquals": _TRANSPORT, "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 6}],
    }


def _choice(path: str, places: dict[str, str], *, default: str) -> State:
    choices = [{"Variable": path, "StringEquals": said, "Next": place} for said, place in places.items()]
    return {"Type": "Choice", "Choices": choices, "Default": default}


def _catch(errors: list[str], place: str) -> State:
    return {"ErrorEquals": errors, "ResultPath": _ASIDE, "Next": str(place)}


def _end(name: str) -> State:
    if name == end_of(Status.SUCCEEDED):
        return {"Type": "Succeed"}
    return _fail(name, "how the change ended; its event log says why")


def _fail(name: str, why: str) -> State:
    return {"Type": "Fail", "Error": f"Carapulse.{name}", "Cause": why}
