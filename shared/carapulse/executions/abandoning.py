"""What becomes of a step whose message is given up: no execution waits for what nobody will do."""

from carapulse.executions.advancing import advance, note
from carapulse.executions.errors import StepBusy
from carapulse.executions.events import StepFailed, StepUnknown
from carapulse.executions.lifecycle import ExecutionEvent, may_start
from carapulse.executions.messages import RunStep
from carapulse.executions.model import ExecutionState, StepError, StepStatus
from carapulse.executions.ports import ExecutionPorts
from carapulse.kernel.call import Call


def abandon_step(message: RunStep, reason: str, call: Call, ports: ExecutionPorts) -> None:
    """End an attempt that could not be made, truthfully; StepBusy while a worker still holds its lease."""
    error = StepError(code="step-abandoned", detail=reason)
    with ports.begin(call) as work:
        state: ExecutionState = work.executions.lock(message.execution_id)
        event = _end_of(message, state, error)
        if event is None:
            return
        if work.executions.held_for(*message.key) > 0:
            raise StepBusy("a worker is at this step", step_id=message.step_id)
        work.executions.end_lease(*message.key, state.step(message.step_id).part(message.phase).fence)
        advance(work, note(work, state, event))


def _end_of(message: RunStep, state: ExecutionState, error: StepError) -> ExecutionEvent | None:
    """Return how the attempt ended; None if the execution doesn't wait for it."""
    step = state.step(message.step_id)
    part = step.part(message.phase)
    names = {**message.names, "error": error}
    if part.status is StepStatus.RUNNING and part.attempts == message.attempt:
        if step.facts.writes:
            return StepUnknown(**names, fence=part.fence)
        return StepFailed(**names, fence=part.fence, effect=part.effect)
    if may_start(state, message.step_id, message.phase, message.attempt):
        return StepFailed(**names, fence=0, effect=part.effect)
    return None
