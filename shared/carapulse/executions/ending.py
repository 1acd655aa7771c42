"""How an execution ends of which nothing is ahead: with which status, and what of it is left. Pure."""

from dataclasses import dataclass

from carapulse.executions.model import Cause, ExecutionState, Status, StepState, StepStatus
from carapulse.executions.ordering import in_order
from carapulse.plans.steps import Stage


@dataclass(frozen=True, slots=True)
class Finish:
    """It is over."""

    status: Status
    cause: Cause | None
    left: tuple[str, ...]


def end_early(state: ExecutionState, cause: Cause) -> Finish:
    """Return the end of a run that did not come to its own."""
    if state.goes_back:
        return _end_back(state, cause)
    steps = [step for step in in_order(state.steps) if _is_left_behind(step)]
    left = tuple(step.facts.id for step in steps)
    still_there = any(step.facts.stage is not Stage.REPORT for step in steps)
    undone = any(step.undo is not None for step in state.steps)
    failed_undo = any(step.part("undo").status.is_bad for step in state.steps)
    kept = state.cancel_undo is False and not failed_undo
    if failed_undo or (still_there and undone and not kept):
        return Finish(Status.ROLLBACK_FAILED, cause, left)
    if cause is Cause.FAILED:
        return Finish(Status.ROLLED_BACK if undone and not left else Status.FAILED, cause, left)
    return Finish(Status.CANCELLED if cause is Cause.CANCELLED else Status.TIMED_OUT, cause, left)


def _is_left_behind(step: StepState) -> bool:
    """Return whether somebody has to know that a step's effect is, or may be, still there.

    What people were told stays told, and that is no harm: of a report only an undo that failed counts, and what nobody
    knows.
    """
    return step.is_left and (step.facts.stage is not Stage.REPORT or step.undo is not None or not step.is_known)


def _end_back(state: ExecutionState, cause: Cause) -> Finish:
    """Return how a run ends that did not go back on all of another: with what it did not do, or could not verify."""
    ends = {Cause.CANCELLED: Status.CANCELLED, Cause.TIMED_OUT: Status.TIMED_OUT}
    left = (step for step in in_order(state.steps) if _is_not_gone_back_on(step) or not step.is_known)
    return Finish(ends.get(cause, Status.ROLLBACK_FAILED), cause, tuple(step.facts.id for step in left))


def _is_not_gone_back_on(step: StepState) -> bool:
    return step.facts.stage in {Stage.ACT, Stage.VERIFY} and not step.is_done


def end(state: ExecutionState) -> Finish:
    """Return the end of a run of which nothing is ahead.

    What a fan-out's failed members may have done is told, and what nobody knows of a report.
    """
    if state.goes_back and any(map(_is_not_gone_back_on, state.steps)):
        return _end_back(state, Cause.FAILED)
    left = (step for step in state.steps if step.is_left and (_failed_in_group(step) or not step.is_known))
    return Finish(Status.SUCCEEDED, None, tuple(step.facts.id for step in left))


def _failed_in_group(step: StepState) -> bool:
    return step.facts.group is not None and step.run.status is StepStatus.FAILED
