"""The only place that knows what comes next: `decide(state)` and `apply(state, event, at)`. No clock, no I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from carapulse.executions.errors import EventOutOfPlace
from carapulse.executions.events import (
    CancelRequested,
    DeadlinePassed,
    ExecutionFinished,
    ExecutionStarted,
    ExecutionUndoing,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepUnknown,
)
from carapulse.executions.model import (
    Cause,
    Effect,
    ExecutionState,
    Phase,
    Run,
    Status,
    StepState,
    StepStatus,
)
from carapulse.plans.steps import Stage

StepEvent = StepStarted | StepSucceeded | StepRetried | StepFailed | StepUnknown
ExecutionEvent = StepEvent | CancelRequested | DeadlinePassed | ExecutionUndoing | ExecutionFinished


@dataclass(frozen=True)
class Start:
    """Start one step, or its undo, not before a moment."""

    step_id: str
    phase: Phase
    attempt: int
    not_before: datetime | None


@dataclass(frozen=True)
class TurnBack:
    """Begin to undo."""

    cause: Cause


@dataclass(frozen=True)
class Finish:
    """It is over."""

    status: Status
    cause: Cause | None
    left: tuple[str, ...]


@dataclass(frozen=True)
class Wait:
    """Nothing to do until something happens."""


Next = Start | TurnBack | Finish | Wait


def decide(state: ExecutionState) -> Next:
    """Return what comes next. The same state always gives the same answer."""
    if state.status.final or _running(state):
        return Wait()
    if state.status is Status.UNDOING:
        return _next_undo(state)
    if any(step.run.status is StepStatus.UNKNOWN for step in state.steps):
        return Finish(Status.NEEDS_HUMAN, Cause.UNKNOWN, _left(state))
    cause = cause_of(state)
    too_late = cause is Cause.TIMED_OUT and all(_is_behind_us(step) for step in state.steps)
    if cause is not None and not too_late:  # nothing is won by undoing what is done and verified
        return _turn(state, cause)
    return _next_step(state) or Finish(Status.SUCCEEDED, None, ())


def cause_of(state: ExecutionState) -> Cause | None:
    """Return why the execution can't go on; a failed report never counts, the change itself is verified by then."""
    if state.cancel_undo is not None:
        return Cause.CANCELLED
    if state.expired:
        return Cause.TIMED_OUT
    if any(step.run.status is StepStatus.FAILED and step.facts.stage is not Stage.REPORT for step in state.steps):
        return Cause.FAILED
    return None


def begin(event: ExecutionStarted, at: datetime) -> ExecutionState:
    """Return the state of an execution that has just started."""
    return ExecutionState(
        id=event.execution_id,
        plan_id=event.plan_id,
        plan_version=event.plan_version,
        digest=event.digest,
        approval_id=event.approval_id,
        requested_by=event.requested_by,
        steps=tuple(StepState(facts=facts) for facts in event.steps),
        started_at=at,
        deadline_at=event.deadline_at,
    )


def apply(state: ExecutionState, event: ExecutionEvent, at: datetime) -> ExecutionState:
    """Return the state after an event, or raise EventOutOfPlace for one that can't have happened now."""
    if state.status.final:
        raise EventOutOfPlace("the execution is over", execution_id=state.id, type=event.type)
    match event:
        case CancelRequested():
            return state.model_copy(update={"cancel_undo": event.undo})
        case DeadlinePassed():
            return state.model_copy(update={"expired": True})
        case ExecutionUndoing():
            return state.model_copy(update={"status": Status.UNDOING, "cause": event.cause})
        case ExecutionFinished():
            changes = {"status": event.status, "cause": event.cause, "left": event.left, "finished_at": at}
            return state.model_copy(update=changes)
        case StepStarted():
            return _started(state, event, at)
        case StepSucceeded() | StepRetried() | StepFailed() | StepUnknown():
            return _ended(state, event, at)
        case _:
            assert_never(event)


def may_start(state: ExecutionState, step_id: str, phase: Phase, attempt: int) -> bool:
    """Return whether this very attempt is what comes next."""
    coming = decide(state)
    return isinstance(coming, Start) and (coming.step_id, coming.phase, coming.attempt) == (step_id, phase, attempt)


def _running(state: ExecutionState) -> bool:
    return any(StepStatus.RUNNING in {step.run.status, step.part("undo").status} for step in state.steps)


def _next_step(state: ExecutionState) -> Start | None:
    done = {step.facts.id for step in state.steps if _is_behind_us(step)}
    for step in _in_order(state):
        if step.facts.id not in done:
            return _start(step, "run") if done.issuperset(step.facts.depends_on) else None
    return None


def _is_behind_us(step: StepState) -> bool:
    reported = step.facts.stage is Stage.REPORT and step.run.status is StepStatus.FAILED
    return reported or step.run.status is StepStatus.SUCCEEDED


def _in_order(state: ExecutionState) -> list[StepState]:
    """Stages never mix; within one, dependencies first, then position."""
    placed: list[StepState] = []
    waiting = sorted(state.steps, key=lambda step: (step.facts.stage.rank, step.facts.position))
    while waiting:
        names = {step.facts.id for step in placed}
        free = next((step for step in waiting if names.issuperset(step.facts.depends_on)), waiting[0])
        placed.append(free)
        waiting.remove(free)
    return placed


def _turn(state: ExecutionState, cause: Cause) -> TurnBack | Finish:
    wanted = state.cancel_undo is not False
    if wanted and any(step.is_to_be_undone for step in state.steps):
        return TurnBack(cause)
    return _end_early(state, cause)


def _next_undo(state: ExecutionState) -> Start | Finish:
    for step in reversed(_in_order(state)):
        if step.is_to_be_undone:
            return _start(step, "undo")
    return _end_early(state, state.cause or Cause.FAILED)


def _end_early(state: ExecutionState, cause: Cause) -> Finish:
    left = _left(state)
    undone = any(step.undo is not None for step in state.steps)
    failed_undo = any(step.part("undo").status in {StepStatus.FAILED, StepStatus.UNKNOWN} for step in state.steps)
    if failed_undo or (left and undone):
        return Finish(Status.ROLLBACK_FAILED, cause, left)
    if cause is Cause.FAILED:
        return Finish(Status.ROLLED_BACK if undone else Status.FAILED, cause, left)
    return Finish(Status.CANCELLED if cause is Cause.CANCELLED else Status.TIMED_OUT, cause, left)


def _left(state: ExecutionState) -> tuple[str, ...]:
    return tuple(step.facts.id for step in _in_order(state) if step.is_left)


def _start(step: StepState, phase: Phase) -> Start:
    part = step.part(phase)
    return Start(step.facts.id, phase, part.attempts + 1, part.retry_at)


def _started(state: ExecutionState, event: StepStarted, at: datetime) -> ExecutionState:
    step = state.step(event.step_id)
    part = step.part(event.phase)
    if (state.status is Status.UNDOING) != (event.phase == "undo"):
        raise EventOutOfPlace("the execution is not at this phase", step_id=event.step_id)
    if part.status is not StepStatus.WAITING or event.attempt != part.attempts + 1 or event.fence != state.fences + 1:
        raise EventOutOfPlace("the attempt is not the one that comes next", step_id=event.step_id)
    changes = {
        "status": StepStatus.RUNNING,
        "attempts": event.attempt,
        "fence": event.fence,
        "started_at": part.started_at or at,
        "effect": Effect.MAYBE if step.facts.writes else Effect.NONE,
        "retry_at": None,
    }
    captured = event.captured if step.captured is None else step.captured
    changed = _with_part(step, event.phase, part.model_copy(update=changes)).model_copy(update={"captured": captured})
    return state.model_copy(update={"fences": event.fence}).with_step(changed)


def _ended(
    state: ExecutionState, event: StepSucceeded | StepRetried | StepFailed | StepUnknown, at: datetime
) -> ExecutionState:
    step = state.step(event.step_id)
    part = step.part(event.phase)
    expected = StepStatus.WAITING if event.fence == 0 else StepStatus.RUNNING
    if part.status is not expected or event.fence not in {0, part.fence}:
        raise EventOutOfPlace("another attempt has taken over", step_id=event.step_id, fence=event.fence)
    return state.with_step(_with_part(step, event.phase, _outcome(part, step, event, at)))


def _outcome(
    part: Run, step: StepState, event: StepSucceeded | StepRetried | StepFailed | StepUnknown, at: datetime
) -> Run:
    changes: dict[str, object]
    match event:
        case StepSucceeded():
            effect = Effect.DONE if step.facts.writes else Effect.NONE
            changes = {"status": StepStatus.SUCCEEDED, "effect": effect, "output_digest": event.output_digest}
            changes |= {"finished_at": at, "error": None}
        case StepRetried():
            changes = {"status": StepStatus.WAITING, "effect": event.effect}
            attempts = part.attempts + (1 if event.fence == 0 else 0)  # an attempt that never came to its start
            changes |= {"retry_at": event.retry_at, "error": event.error, "attempts": attempts}
        case StepFailed():
            changes = {"status": StepStatus.FAILED, "effect": event.effect, "error": event.error, "finished_at": at}
        case StepUnknown():
            changes = {"status": StepStatus.UNKNOWN, "effect": Effect.MAYBE, "error": event.error, "finished_at": at}
        case _:
            assert_never(event)
    return part.model_copy(update=changes)


def _with_part(step: StepState, phase: Phase, part: Run) -> StepState:
    return step.model_copy(update={"run" if phase == "run" else "undo": part})
