"""The only place that knows what comes next: `decide(state)` and `advance(state, at)`. No clock, no I/O, no chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from carapulse.executions.active import Active
from carapulse.executions.applying import ExecutionEvent, apply
from carapulse.executions.ending import Finish, end, end_early
from carapulse.executions.events import DeadlinePassed, ExecutionFinished, ExecutionHeld, ExecutionUndoing, StepFailed
from carapulse.executions.model import Cause, ExecutionState, Phase, Status, StepError, StepState, StepStatus
from carapulse.executions.ordering import in_order
from carapulse.plans.steps import Stage


@dataclass(frozen=True, slots=True)
class Start:
    """Start one step, or its undo, not before a moment."""

    step_id: str
    phase: Phase
    attempt: int
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class Go:
    """Start these steps, if there are any; else wait for what runs, or for somebody."""

    starts: tuple[Start, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnBack:
    """Begin to undo."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait for a person."""

    cause: Cause
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make a report no more."""

    step: StepState


Next = Go | TurnBack | Hold | GiveUp | Finish
_TOO_LATE = StepError(code="deadline-passed", detail="the deadline of the run passed before the report was made")


@dataclass(frozen=True, slots=True)
class Advanced:
    """An execution brought as far as it goes by itself: its state, what happened on the way, and what may start."""

    state: ExecutionState
    events: tuple[ExecutionEvent, ...]
    starts: tuple[Start, ...]


def advance(state: ExecutionState, at: datetime) -> Advanced:
    """Return the execution after everything that follows from its state at a moment, the deadline included."""
    events: list[ExecutionEvent] = []
    while True:
        coming = decide(state)
        event = _event_of(coming, state, at)
        if event is None:
            return Advanced(state, tuple(events), coming.starts if isinstance(coming, Go) else ())
        events.append(event)
        state = apply(state, event, at)


def _event_of(coming: Next, state: ExecutionState, at: datetime) -> ExecutionEvent | None:
    """Return what follows by itself: the deadline before anything else, for it changes what comes next."""
    if not (state.over or state.expired) and at >= state.deadline_at:
        return DeadlinePassed(execution_id=state.id)
    match coming:
        case Go():
            return None
        case TurnBack(cause):
            return ExecutionUndoing(execution_id=state.id, cause=cause)
        case Hold(cause, steps):
            return ExecutionHeld(execution_id=state.id, cause=cause, steps=steps)
        case GiveUp(step):
            names = {"execution_id": state.id, "step_id": step.facts.id, "phase": "run", "fence": 0}
            return StepFailed(**names, error=_TOO_LATE, effect=step.run.effect)
        case Finish(status, cause, left):
            return ExecutionFinished(execution_id=state.id, status=status, cause=cause, left=left)


def decide(state: ExecutionState) -> Next:
    """Return what comes next. The same state always gives the same answer."""
    if state.over:
        return Go()
    if state.status is Status.UNDOING:
        return _next_undo(state)
    runs = any(step.run.status is StepStatus.RUNNING for step in state.steps)
    cause = cause_of(state)
    if cause is None:
        starts = () if state.paused else tuple(_starts(state))
        return Go(starts) if starts or runs or not _all_behind_us(state) else end(state)
    if cause is Cause.TIMED_OUT and not runs and _only_reports_are_open(state):
        return _end_late(state)
    # A pause begins nothing, but it doesn't keep from anybody that they are asked.
    return Go() if runs or (state.paused and not _asks(state, cause)) else _stop(state, cause)


def _asks(state: ExecutionState, cause: Cause) -> bool:
    """Return whether a person has to say how it goes on."""
    return cause is Cause.UNKNOWN or (cause is Cause.FAILED and state.hold)


def _stop(state: ExecutionState, cause: Cause) -> Next:
    """Return how an execution that can't go on, and in which nothing runs any more, is ended, undone or held."""
    if _asks(state, cause):
        return Go() if state.status is Status.NEEDS_HUMAN else Hold(cause, _waiting_for_a_person(state))
    return _turn(state, cause)


def _only_reports_are_open(state: ExecutionState) -> bool:
    return all(step.facts.stage is Stage.REPORT or is_behind_us(step, state) for step in state.steps)


def _end_late(state: ExecutionState) -> GiveUp | Finish:
    """Return the end of a run whose deadline has passed: nothing is won by undoing what is done and verified."""
    still_open = next((step for step in state.steps if not is_behind_us(step, state)), None)
    return end(state) if still_open is None else GiveUp(still_open)


def cause_of(state: ExecutionState) -> Cause | None:
    """Return why the execution can't go on.

    A report never counts, failed or unknown, for the change itself is verified by then, nor does a failure that its
    fan-out bears. A cancel goes before everything; the deadline never goes before what only a person can tell.
    """
    if state.cancel_undo is not None:
        return Cause.CANCELLED
    ends = {step.run.status for step in state.steps if step.run.status.is_bad and not _is_borne(step, state)}
    if StepStatus.UNKNOWN in ends:
        return Cause.UNKNOWN
    if state.expired:
        return Cause.TIMED_OUT
    return Cause.FAILED if ends else None


def may_start(state: ExecutionState, start: Start) -> bool:
    """Return whether this very attempt is among what comes next."""
    coming = decide(state)
    return isinstance(coming, Go) and any(
        (each.step_id, each.phase, each.attempt) == (start.step_id, start.phase, start.attempt)
        for each in coming.starts
    )


def _starts(state: ExecutionState) -> Iterator[Start]:
    """Yield what may start. A fan-out counts as one of the steps that may run at once, whatever its own width.

    What has begun, and waits to be tried again or for its time, keeps its place before what has not.
    """
    active = Active(state)
    if active.is_full:
        return
    ahead = [step for step in state.steps if not is_behind_us(step, state)]
    waits_for = {step.facts.id for step in ahead}
    stage = ahead[0].facts.stage if ahead else None
    for step in sorted(ahead, key=_is_untouched):
        facts = step.facts
        ready = facts.stage is stage and waits_for.isdisjoint(facts.depends_on)
        if ready and step.run.status is StepStatus.WAITING and active.has_room_for(step):
            active.add(step)
            yield _start(step, "run")
            if active.is_full:
                return


def _is_untouched(step: StepState) -> bool:
    return step.run.attempts == 0 and step.run.retry_at is None


def is_behind_us(step: StepState, state: ExecutionState) -> bool:
    """Return whether nothing has to be done about a step any more for the run to go on."""
    return step.is_done or (step.run.status.is_bad and _is_borne(step, state))


def _all_behind_us(state: ExecutionState) -> bool:
    return all(is_behind_us(step, state) for step in state.steps)


def _is_borne(step: StepState, state: ExecutionState) -> bool:
    """Return whether a bad end keeps nothing from going on: a report's, or a failure of one of these.

    It is one of as few as its fan-out may have, or one on the way back from another run: then all is done that can be,
    as in any undoing, and the end says what is left.
    """
    if step.facts.stage is Stage.REPORT:
        return True
    if step.run.status is not StepStatus.FAILED:
        return False
    if state.goes_back and not state.hold and step.facts.stage is not Stage.DIAGNOSE:
        return True
    group = step.facts.group
    if group is None:
        return False
    failed = sum(each.facts.group == group and each.run.status is StepStatus.FAILED for each in state.steps)
    return failed <= state.groups[group].max_failures


def _waiting_for_a_person(state: ExecutionState) -> tuple[str, ...]:
    waiting = (step for step in state.steps if step.run.status.is_bad and not _is_borne(step, state))
    return tuple(step.facts.id for step in waiting)


def _turn(state: ExecutionState, cause: Cause) -> TurnBack | Finish:
    wanted = state.cancel_undo is not False and not state.goes_back
    if wanted and any(step.is_to_be_undone for step in state.steps):
        return TurnBack(cause)
    return end_early(state, cause)


def _next_undo(state: ExecutionState) -> Go | Finish:
    """Undo one after the other, in reverse order of dependencies; a later wish to keep what is left ends it."""
    if any(step.part("undo").status is StepStatus.RUNNING for step in state.steps):
        return Go()
    if state.cancel_undo is not False:
        for step in reversed(in_order(state.steps)):
            if step.is_to_be_undone:
                return Go() if state.paused else Go((_start(step, "undo"),))
        return end_early(state, state.cause or Cause.FAILED)
    return end_early(state, Cause.CANCELLED)


def _start(step: StepState, phase: Phase) -> Start:
    part = step.part(phase)
    return Start(step.facts.id, phase, part.attempts + 1, part.retry_at)
