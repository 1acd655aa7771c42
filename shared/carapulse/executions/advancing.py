"""Carrying out what the decider says, within one unit of work: the only writer of executions."""

from carapulse.executions.events import DeadlinePassed, ExecutionFinished, ExecutionUndoing
from carapulse.executions.lifecycle import ExecutionEvent, Finish, Start, TurnBack, Wait, apply, decide
from carapulse.executions.messages import RunStep
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionWork


def note(work: ExecutionWork, state: ExecutionState, event: ExecutionEvent) -> ExecutionState:
    """Record an event and return the state after it."""
    at = work.record(state.plan_id, event)
    return apply(state, event, at)


def advance(work: ExecutionWork, state: ExecutionState) -> ExecutionState:
    """Do what comes next until the execution waits for something, and keep its state.

    A deadline that has passed is noted here too: what was ended because of it must not look like a failure.
    """
    if not (state.status.final or state.expired) and work.now() >= state.deadline_at:
        state = note(work, state, DeadlinePassed(execution_id=state.id))
    while True:
        match decide(state):
            case Wait():
                break
            case Start() as start:
                _send(work, state, start)
                break
            case TurnBack(cause):
                state = note(work, state, ExecutionUndoing(execution_id=state.id, cause=cause))
            case Finish() as end:
                state = _finish(work, state, end)
    work.executions.replace(state)
    return state


def _send(work: ExecutionWork, state: ExecutionState, start: Start) -> None:
    message = RunStep(execution_id=state.id, step_id=start.step_id, phase=start.phase, attempt=start.attempt)
    delay = 0.0 if start.not_before is None else (start.not_before - work.now()).total_seconds()
    work.send(message, delay_s=max(0.0, delay))


def _finish(work: ExecutionWork, state: ExecutionState, end: Finish) -> ExecutionState:
    event = ExecutionFinished(execution_id=state.id, status=end.status, cause=end.cause, left=end.left)
    work.executions.release_targets(state.id)
    work.plans.replace(work.plans.lock(state.plan_id).done())
    return note(work, state, event)
