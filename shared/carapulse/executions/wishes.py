"""What people may ask of an execution that isn't over. Each wish is noted with everything that follows from it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from carapulse.executions.advancing import note_and_advance
from carapulse.executions.applying import ExecutionEvent
from carapulse.executions.errors import EventOutOfPlace, ExecutionOver, StepNotAsked, StepNotFound
from carapulse.executions.events import (
    CancelRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    StepResolved,
)
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.kernel.call import Call
from carapulse.kernel.names import TRIMMED
from carapulse.kernel.record import Record
from carapulse.observe import get_logger
from carapulse.plans.steps import StepId

Note = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$"), TRIMMED]
log = get_logger(__name__)


class CancelExecution(Record):
    """Stop an execution; what was done is undone unless the caller wants it kept, or the execution itself goes back."""

    undo: bool | None = Field(
        default=None,
        strict=True,
        description="whether what was done is undone; null: yes, but not of a run that goes back on another",
    )
    note: Note | None = None


class PauseExecution(Record):
    """Begin nothing more until somebody has it go on; what runs is finished."""

    note: Note | None = None


class ResumeExecution(Record):
    """Go on."""

    note: Note | None = None


class RetryStep(Record):
    """Try a failed step of an execution again that waits for a person, and say why that may help now."""

    step_id: StepId
    note: Note


class ResolveStep(Record):
    """Say whether the effect of a step took place that nobody can tell of, and how that was found out."""

    step_id: StepId
    done: bool = Field(strict=True, description="whether the effect is there")
    note: Note


def cancel_execution(execution_id: str, command: CancelExecution, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Stop an execution that isn't over; running tools are ended, and the wish about undoing is kept.

    GoesBack if the caller wants undone what goes back on another execution: that would do it again, which takes a plan.
    """
    with ports.begin(call) as work:
        state = _open(execution_id, work)
        undo = command.undo if command.undo is not None else not state.goes_back
        return _noted(work, state, CancelRequested(execution_id=state.id, undo=undo, note=command.note))


def pause_execution(execution_id: str, command: PauseExecution, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Let what runs be finished and begin nothing more, the undoing included. What is paused stays as it is.

    Time goes on: the deadline ends a pause. One that is asked for later, of an undoing, lasts until it is resumed.
    """
    with ports.begin(call) as work:
        state = _open(execution_id, work)
        if state.paused:
            return state
        return _noted(work, state, PauseRequested(execution_id=state.id, note=command.note))


def resume_execution(execution_id: str, command: ResumeExecution, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Go on with what is paused. What is not paused stays as it is."""
    with ports.begin(call) as work:
        state = _open(execution_id, work)
        if not state.paused:
            return state
        return _noted(work, state, ResumeRequested(execution_id=state.id, note=command.note))


def retry_step(execution_id: str, command: RetryStep, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Have a failed step tried again, with all its attempts, in an execution that waits for a person because of it."""
    with ports.begin(call) as work:
        state = _with(command.step_id, _open(execution_id, work))
        return _noted(work, state, RetryRequested(execution_id=state.id, step_id=command.step_id, note=command.note))


def resolve_step(execution_id: str, command: ResolveStep, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Take a person's word for what became of a step: it is done, or it has failed and is treated as a failure is."""
    with ports.begin(call) as work:
        state = _with(command.step_id, _open(execution_id, work))
        answer = {"step_id": command.step_id, "done": command.done, "note": command.note}
        return _noted(work, state, StepResolved(execution_id=state.id, **answer))


def _open(execution_id: str, work: ExecutionWork) -> ExecutionState:
    state = work.executions.lock(execution_id)
    if state.over:
        raise ExecutionOver("the execution is over", execution_id=execution_id, status=state.status)
    return state


def _with(step_id: str, state: ExecutionState) -> ExecutionState:
    if all(step.facts.id != step_id for step in state.steps):
        raise StepNotFound("the execution has no such step", execution_id=state.id, step_id=step_id)
    return state


def _noted(work: ExecutionWork, state: ExecutionState, event: ExecutionEvent) -> ExecutionState:
    try:
        after = note_and_advance(work, state, event)
    except EventOutOfPlace as problem:
        raise StepNotAsked(problem.detail, execution_id=state.id, status=state.status) from problem
    log.info("execution_steered", execution_id=state.id, wish=event.type, status=after.status)
    return after
