"""What becomes of an execution whose message is given up: it does not wait for what nobody will do."""

from carapulse.executions.advancing import note_and_advance
from carapulse.executions.applying import ExecutionEvent
from carapulse.executions.errors import StepBusy
from carapulse.executions.events import StepFailed, StepUnknown
from carapulse.executions.lifecycle import Start, advance
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import ExecutionState, Phase, Run, StepError, StepState
from carapulse.executions.ports import ExecutionPorts
from carapulse.kernel.call import Call


def abandon_execution(
    message: AdvanceExecution,
    reason: str,
    call: Call,
    ports: ExecutionPorts,
    only: tuple[str, Phase] | None = None,
) -> None:
    """End the attempt that could not be made, truthfully; StepBusy while a worker still holds its lease.

    `only` names the one step, or undo, that the message was about, where somebody else hands out the others.
    """
    error = StepError(code="step-abandoned", detail=reason)
    with ports.begin(call) as work:
        state: ExecutionState = work.executions.lock(message.execution_id)
        if state.over:
            return
        held = work.executions.leases(message.execution_id)
        running = [each for each in state.running if only in {None, (each[0].facts.id, each[1])}]
        lost = [each for each in running if each[2].lease not in held]
        starts = [each for each in advance(state, work.now()).starts if only in {None, (each.step_id, each.phase)}]
        if lost:
            note_and_advance(work, state, _end_of(state, lost[0], error))
        elif running:
            raise StepBusy("a worker is at this execution", execution_id=state.id)
        elif starts:
            note_and_advance(work, state, _never_started(state, starts[0], error))


def _end_of(state: ExecutionState, lost: tuple[StepState, Phase, Run], error: StepError) -> ExecutionEvent:
    step, phase, part = lost
    names = {"execution_id": state.id, "step_id": step.facts.id, "phase": phase, "fence": part.fence, "error": error}
    return StepUnknown(**names) if step.facts.writes else StepFailed(**names, effect=part.effect)


def _never_started(state: ExecutionState, start: Start, error: StepError) -> ExecutionEvent:
    names = {"execution_id": state.id, "step_id": start.step_id, "phase": start.phase, "fence": 0, "error": error}
    return StepFailed(**names, effect=state.step(start.step_id).part(start.phase).effect)
