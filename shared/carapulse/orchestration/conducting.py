"""What a state machine is told: the decider's own answer, in the names of the machine's states. Pure."""

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from carapulse.executions.lifecycle import advance, cause_of, is_behind_us
from carapulse.executions.model import ExecutionState, Phase, Status, StepState, StepStatus
from carapulse.executions.ordering import in_order
from carapulse.orchestration.model import (
    ENDS,
    LONGEST_WAIT_S,
    STEPS,
    UNDO_STEPS,
    Asked,
    Item,
    StepOf,
    Told,
    Turn,
    TurnTold,
    seconds_until,
)
from carapulse.plans.model import Plan, PlanStatus

_WIDEST: Final = 40  # as many iterations as Step Functions runs of an inline Map at once
_AFTER_DEADLINE: Final = timedelta(minutes=15)
_LONGEST_UNDO_S: Final = 86_400
_BLOCKED_S: Final = 900  # a question that was lost costs no more of an execution's time
_OVERDUE_S: Final = 60  # whoever notes that a moment has come is late: its bell tells, and asking does not help
_LOOK_AGAIN_S: Final = 60  # whoever has the step may be lost: nobody's bell would tell


def end_of(status: Status) -> str:
    """Return the name of a machine's end for a final status of an execution."""
    return "".join(part.capitalize() for part in status.value.split("_"))


def next_of(
    plan: Plan, open_until: datetime | None, state: ExecutionState | None, at: datetime, heartbeat_s: int
) -> Told:
    """Return what the machine of a plan does next; `open_until` is when the question about it lapses."""
    if plan.status is PlanStatus.AWAITING_APPROVAL:
        return Told(next=Asked.AWAIT_APPROVAL, wait_s=_until(open_until, at))
    if plan.status is PlanStatus.APPROVED:
        return Told(next=Asked.AWAIT_START, wait_s=_until(open_until, at))
    if plan.status in ENDS or state is None:
        return Told(next=ENDS[plan.status])
    if state.over:
        return Told(next=end_of(state.status))
    return _go_on(state, at, heartbeat_s)


def is_of(step: StepOf, state: ExecutionState) -> bool:
    """Return whether a step that a machine names is one of an execution: only the change is signed that it carries."""
    return step.execution_id == state.id and any(each.facts.id == step.step_id for each in state.steps)


def step_told(state: ExecutionState, step_id: str, phase: Phase, at: datetime) -> TurnTold:
    """Return what the machine does with one step.

    It leaves a step that nothing more can be done about now, so that no step keeps it from what is next for the whole.
    """
    now = advance(state, at)
    if now.events:
        return TurnTold(next=Turn.ATTEMPT)  # something has come to pass that nobody has written down yet
    if state.over or (phase == "undo") is not (state.status is Status.UNDOING):
        return TurnTold(next=Turn.LEAVE)
    start = next((each for each in now.starts if (each.step_id, each.phase) == (step_id, phase)), None)
    if start is not None:
        if start.not_before is None or start.not_before <= at:
            return TurnTold(next=Turn.ATTEMPT)
        return TurnTold(next=Turn.AWAIT, wait_s=seconds_until(start.not_before, at))
    return _without_start(state, step_id, phase, at)


def _without_start(state: ExecutionState, step_id: str, phase: Phase, at: datetime) -> TurnTold:
    """Return what the machine does with a step that can't be attempted now."""
    step = state.step(step_id)
    if step.part(phase).status is StepStatus.RUNNING:
        return TurnTold(next=Turn.AWAIT, wait_s=_LOOK_AGAIN_S)
    if state.is_at_work and _may_come(step, phase, state):
        return TurnTold(next=Turn.AWAIT, wait_s=min(_BLOCKED_S, seconds_until(state.deadline_at, at)))
    return TurnTold(next=Turn.LEAVE)


def _may_come(step: StepState, phase: Phase, state: ExecutionState) -> bool:
    """Return whether what runs elsewhere may make this step possible."""
    if phase == "undo":
        return step.is_to_be_undone
    return cause_of(state) is None and step.run.status is StepStatus.WAITING


def _go_on(state: ExecutionState, at: datetime, heartbeat_s: int) -> Told:
    now = advance(state, at)
    if not (now.starts or now.state.is_at_work or now.events):
        return Told(next=Asked.AWAIT_PERSON, wait_s=_until(None if state.expired else state.deadline_at, at))
    state = now.state
    if state.over:
        return Told(next=end_of(state.status))
    phase: Phase = "undo" if state.status is Status.UNDOING else "run"
    timeout_s = _timeout_s(state, at)
    coming = _coming(state)
    steps = tuple(
        Item(
            execution_id=state.id,
            step_id=step.facts.id,
            phase=phase,
            timeout_s=timeout_s,
            heartbeat_s=min(heartbeat_s, timeout_s - 1),
        )
        for step in coming
    )
    if phase == "undo":
        return Told(next=UNDO_STEPS, steps=steps)
    return Told(next=STEPS[coming[0].facts.stage], width=_width(state, coming), steps=steps)


def _timeout_s(state: ExecutionState, at: datetime) -> int:
    """Return how many seconds an attempt may take; what comes after the deadline, as an undo may, has its time too."""
    if state.status is Status.UNDOING:
        return _LONGEST_UNDO_S
    left = state.deadline_at + _AFTER_DEADLINE - at
    return max(int(_AFTER_DEADLINE.total_seconds()), ceil(left.total_seconds()))


def _coming(state: ExecutionState) -> list[StepState]:
    """Return the steps that are left of what is being done, in an order in which each comes after what it needs."""
    steps = in_order(state.steps)
    if state.status is Status.UNDOING:
        return [step for step in reversed(steps) if step.is_to_be_undone or _is_being_undone(step)]
    ahead = [step for step in steps if not is_behind_us(step, state)]
    return [step for step in ahead if step.facts.stage is ahead[0].facts.stage]


def _is_being_undone(step: StepState) -> bool:
    return step.part("undo").status is StepStatus.RUNNING


def _width(state: ExecutionState, coming: list[StepState]) -> int:
    """Return how many steps the machine has in hand at once.

    That is how many may run, where a fan-out counts as one and has its own width besides. What waits for another step
    is in hand too: where there may be such, what could be done is not to stand behind it.
    """
    may_run = state.max_concurrency + sum(group.max_concurrency - 1 for group in state.groups.values())
    if may_run > 1 and _may_block(coming):
        return min(_WIDEST, max(may_run, len(coming)))
    return min(_WIDEST, may_run)


def _may_block(steps: list[StepState]) -> bool:
    """Return whether one of these steps may have to wait for another while a third could be done."""
    targets = [target for step in steps for target in step.facts.targets]
    units = {step.facts.group or step.facts.id for step in steps}
    is_grouped = any(step.facts.group for step in steps) and len(units) > 1
    return is_grouped or len(targets) > len(set(targets)) or any(step.facts.depends_on for step in steps)


def _until(moment: datetime | None, at: datetime) -> int:
    if moment is None:
        return LONGEST_WAIT_S
    return seconds_until(moment, at) if moment > at else _OVERDUE_S
