"""How far a run has come: in percent, what each step waits for, and until when it may. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from carapulse.executions.active import Active
from carapulse.executions.lifecycle import Go, decide, is_behind_us
from carapulse.executions.model import ExecutionState, Status, StepState, StepStatus


def percent_of(state: ExecutionState) -> int:
    """Return how many of a hundred steps are behind us, skipped ones and failures that don't count included."""
    behind = sum(is_behind_us(step, state) for step in state.steps)
    return 100 * behind // len(state.steps)


def waits_of(state: ExecutionState, at: datetime) -> dict[str, str]:
    """Return what each step waits for that waits for anything, in words. What is over waits for nothing."""
    if state.over:
        return {}
    found = _undo_waits(state, at) if state.status is Status.UNDOING else _run_waits(state, at)
    return {name: why for name, why in found.items() if why is not None}


def deadlines_of(state: ExecutionState, limits_s: Mapping[str, float | None]) -> dict[str, datetime]:
    """Return until when each step that has begun may take; `limits_s` are the steps' own deadlines in seconds."""
    found: dict[str, datetime] = {}
    for step in state.steps:
        begun, limit = step.run.started_at, limits_s.get(step.facts.id)
        if state.status is Status.RUNNING and begun is not None and step.run.finished_at is None:
            own = state.deadline_at if limit is None else begun + timedelta(seconds=limit)
            found[step.facts.id] = min(own, state.deadline_at)
    return found


def _run_waits(state: ExecutionState, at: datetime) -> dict[str, str | None]:
    active, coming = Active(state), decide(state)
    starts = {start.step_id for start in coming.starts} if isinstance(coming, Go) else set()
    for step in state.steps:
        if step.facts.id in starts:
            active.add(step)
    return {step.facts.id: _run_wait(step, state, active, starts, at) for step in state.steps}


def _run_wait(step: StepState, state: ExecutionState, active: Active, starts: set[str], at: datetime) -> str | None:
    run = step.run
    if state.status is Status.NEEDS_HUMAN:
        return _person_wait(step, state)
    if run.status is not StepStatus.WAITING or state.cancel_undo is not None or state.expired:
        return None
    if state.paused:
        return "paused"
    if run.retry_at is not None and run.retry_at > at:
        return f"waits {'until' if step.facts.waits else 'for a retry at'} {run.retry_at.isoformat()}"
    if before := _before(step, state):
        return f"waits for {', '.join(before)}"
    return None if step.facts.id in starts else _no_place(step, active)


def _person_wait(step: StepState, state: ExecutionState) -> str | None:
    run = step.run
    if step.facts.id in state.left and run.status.is_bad:
        return f"waits for a person: {run.error.detail if run.error else run.status}"
    return f"waits for a person to answer for {', '.join(state.left)}" if run.status is StepStatus.WAITING else None


def _before(step: StepState, state: ExecutionState) -> list[str]:
    """Return the steps that must be behind us first: what it depends on, or else an earlier stage."""
    still = [each.facts for each in state.steps if not is_behind_us(each, state)]
    needed = [each.id for each in still if each.id in step.facts.depends_on]
    return needed or [each.id for each in still if each.stage.rank < step.facts.stage.rank]


def _no_place(step: StepState, active: Active) -> str:
    busy = [target for target in step.facts.targets if target in active.targets]
    return f"waits for target {', '.join(busy)}" if busy else "waits for a free place"


def _undo_waits(state: ExecutionState, at: datetime) -> dict[str, str | None]:
    coming = decide(state)
    starts = {start.step_id for start in coming.starts} if isinstance(coming, Go) else set()
    return {
        step.facts.id: _undo_wait(step, state, starts, at)
        for step in state.steps
        if step.is_to_be_undone and state.cancel_undo is not False
    }


def _undo_wait(step: StepState, state: ExecutionState, starts: set[str], at: datetime) -> str | None:
    retry_at = step.part("undo").retry_at
    if state.paused:
        return "paused"
    if step.facts.id not in starts:
        return "waits until what came after it is undone"
    return None if retry_at is None or retry_at <= at else f"waits for a retry at {retry_at.isoformat()}"
