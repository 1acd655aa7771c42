"""How events change an execution: `begin` and `apply`. Pure; the log, applied in order, is the state."""

from datetime import datetime
from typing import assert_never

from carapulse.executions.errors import EventOutOfPlace, GoesBack
from carapulse.executions.events import (
    CancelRequested,
    DeadlinePassed,
    ExecutionFinished,
    ExecutionHeld,
    ExecutionStarted,
    ExecutionUndoing,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    StepDelayed,
    StepFailed,
    StepResolved,
    StepRetried,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    StepTakenOver,
    StepUnknown,
)
from carapulse.executions.model import Effect, ExecutionState, Phase, Run, Status, StepError, StepState, StepStatus

StepEnd = StepSucceeded | StepRetried | StepFailed | StepUnknown
StepEvent = StepStarted | StepTakenOver | StepDelayed | StepSkipped | StepEnd
Wish = RetryRequested | StepResolved | PauseRequested | ResumeRequested | CancelRequested
Turn = DeadlinePassed | ExecutionUndoing | ExecutionHeld | ExecutionFinished
ExecutionEvent = StepEvent | Wish | Turn


def begin(event: ExecutionStarted, at: datetime) -> ExecutionState:
    """Return the state of an execution that has just started, its steps stage by stage."""
    facts = sorted(event.steps, key=lambda each: (each.stage.rank, each.position))
    return ExecutionState(
        id=event.execution_id,
        plan_id=event.plan_id,
        plan_version=event.plan_version,
        digest=event.digest,
        approval_id=event.approval_id,
        requested_by=event.requested_by,
        dry_run=event.dry_run,
        undoes=event.undoes,
        hold=event.hold,
        max_concurrency=event.max_concurrency,
        groups=event.groups,
        steps=tuple(StepState(facts=each) for each in facts),
        started_at=at,
        deadline_at=event.deadline_at,
    )


def apply(state: ExecutionState, event: ExecutionEvent, at: datetime) -> ExecutionState:
    """Return the state after an event, or raise EventOutOfPlace for one that can't have happened now.

    GoesBack for a cancel that would do again what the execution goes back on.
    """
    if state.over:
        raise EventOutOfPlace("the execution is over", execution_id=state.id, type=event.type)
    match event:
        case StepStarted() | StepSucceeded() | StepRetried() | StepFailed() | StepUnknown():
            return _started(state, event, at) if isinstance(event, StepStarted) else _ended(state, event, at)
        case StepTakenOver() | StepDelayed() | StepSkipped():
            return _moved(state, event, at)
        case DeadlinePassed() | ExecutionUndoing() | ExecutionHeld() | ExecutionFinished():
            return state.model_copy(update=_turned(event, at))
        case CancelRequested():
            return _cancelled(state, event)
        case PauseRequested() | ResumeRequested():
            return state.model_copy(update={"paused": isinstance(event, PauseRequested)})
        case RetryRequested() | StepResolved():
            return _answered(state, event, at)
        case _:
            assert_never(event)


def _cancelled(state: ExecutionState, event: CancelRequested) -> ExecutionState:
    if event.undo and state.goes_back:
        raise GoesBack("cancel it without undo, or go back on it later", execution_id=state.id, undoes=state.undoes)
    status = Status.RUNNING if state.status is Status.NEEDS_HUMAN else state.status
    return state.model_copy(update={"cancel_undo": event.undo, "paused": False, "status": status})


def _turned(event: Turn, at: datetime) -> dict[str, object]:
    match event:
        case DeadlinePassed():
            return {"expired": True, "paused": False}
        case ExecutionUndoing():
            return {"status": Status.UNDOING, "cause": event.cause, "paused": False}
        case ExecutionHeld():
            return {"status": Status.NEEDS_HUMAN, "cause": event.cause, "left": event.steps}
        case ExecutionFinished():
            return {"status": event.status, "cause": event.cause, "left": event.left, "finished_at": at}


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
        "lease": event.lease,
        "started_at": part.started_at or at,
        "effect": Effect.MAYBE if step.facts.writes and not state.dry_run else Effect.NONE,
        "retry_at": None,
    }
    captured = event.captured if step.captured is None else step.captured
    changed = _with_part(step, event.phase, part.model_copy(update=changes)).model_copy(update={"captured": captured})
    return state.model_copy(update={"fences": event.fence}).with_step(changed)


def _ended(state: ExecutionState, event: StepEnd, at: datetime) -> ExecutionState:
    step = state.step(event.step_id)
    part = step.part(event.phase)
    expected = StepStatus.WAITING if event.fence == 0 else StepStatus.RUNNING
    if part.status is not expected or event.fence not in {0, part.fence}:
        raise EventOutOfPlace("another attempt has taken over", step_id=event.step_id, fence=event.fence)
    done = Effect.DONE if step.facts.writes and not state.dry_run else Effect.NONE
    changed = part.model_copy(update={"lease": None, **_outcome(part, event, done, at)})
    return state.with_step(_with_part(step, event.phase, changed))


def _outcome(part: Run, event: StepEnd, done: Effect, at: datetime) -> dict[str, object]:
    match event:
        case StepSucceeded():
            changes: dict[str, object] = {"status": StepStatus.SUCCEEDED, "effect": done}
            return changes | {"output_digest": event.output_digest, "finished_at": at, "error": None}
        case StepRetried():
            attempts = part.attempts + (1 if event.fence == 0 else 0)  # one that never came to its start takes time too
            changes = {"status": StepStatus.WAITING, "effect": event.effect, "attempts": attempts}
            changes |= {"started_at": part.started_at or at}
            return changes | {"retry_at": event.retry_at, "error": event.error}
        case StepFailed():
            changes = {"status": StepStatus.FAILED, "effect": event.effect}
            return changes | {"error": event.error, "finished_at": at, "retry_at": None}
        case StepUnknown():
            return {"status": StepStatus.UNKNOWN, "effect": Effect.MAYBE, "error": event.error, "finished_at": at}


def _moved(state: ExecutionState, event: StepTakenOver | StepDelayed | StepSkipped, at: datetime) -> ExecutionState:
    step = state.step(event.step_id)
    if isinstance(event, StepTakenOver):
        part = step.part(event.phase)
        if part.status is not StepStatus.RUNNING or event.fence != state.fences + 1:
            raise EventOutOfPlace("there is nothing to take over", step_id=event.step_id)
        part = part.model_copy(update={"fence": event.fence, "lease": event.lease})
        return state.model_copy(update={"fences": event.fence}).with_step(_with_part(step, event.phase, part))
    if step.run.status is not StepStatus.WAITING or state.status is not Status.RUNNING:
        raise EventOutOfPlace("the step is not waiting", step_id=event.step_id)
    if isinstance(event, StepDelayed):
        changes: dict[str, object] = {"retry_at": event.until, "started_at": step.run.started_at or at}
    else:
        changes = {"status": StepStatus.SKIPPED, "finished_at": at, "retry_at": None}
    return state.with_step(_with_part(step, "run", step.run.model_copy(update=changes)))


def _answered(state: ExecutionState, event: RetryRequested | StepResolved, at: datetime) -> ExecutionState:
    """Return the state after a person's word about a step that they are asked about: the execution goes on from there.

    A failure that doesn't count isn't asked about: what came after it has gone on without it.
    """
    step = state.step(event.step_id)
    expected = StepStatus.FAILED if isinstance(event, RetryRequested) else StepStatus.UNKNOWN
    asked = state.status is Status.NEEDS_HUMAN and event.step_id in state.left
    if not asked or step.run.status is not expected:
        raise EventOutOfPlace("nobody asks a person about this step", step_id=event.step_id, status=step.run.status)
    run = step.run
    changes: dict[str, object] = {"finished_at": at}
    if isinstance(event, RetryRequested):
        changes = {"status": StepStatus.WAITING, "spent": run.attempts, "error": None}
        changes |= {"started_at": None, "finished_at": None}  # its own deadline counts from its next start
    elif event.done:
        changes |= {"status": StepStatus.SUCCEEDED, "effect": Effect.DONE, "error": None}
    else:
        error = StepError(code="not-done", detail=f"a person looked, and it was not done: {event.note}")
        changes |= {"status": StepStatus.FAILED, "effect": Effect.NONE, "error": error}
    changed = _with_part(step, "run", run.model_copy(update=changes))
    return state.model_copy(update={"status": Status.RUNNING, "cause": None, "left": ()}).with_step(changed)


def _with_part(step: StepState, phase: Phase, part: Run) -> StepState:
    return step.model_copy(update={"run" if phase == "run" else "undo": part})
