"""How the plan that a machine carries stands, and whether a machine that stands still may go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from carapulse.executions.lifecycle import advance
from carapulse.executions.model import ExecutionState
from carapulse.orchestration.conducting import is_of, next_of, step_told
from carapulse.orchestration.model import Asked, StepOf, Told, Turn, TurnTold, Wait
from carapulse.orchestration.ports import OrchestrationWork
from carapulse.plans.model import Plan

_TO_END: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan, its execution, and when the question about it lapses, at one moment."""

    plan: Plan
    state: ExecutionState | None
    open_until: datetime | None
    at: datetime
    visibility_s: float

    @property
    def next(self) -> Told:
        """What its machine does next. Whoever works beats thrice while a message stays hidden."""
        return next_of(self.plan, self.open_until, self.state, self.at, heartbeat_s=max(60, int(3 * self.visibility_s)))

    @property
    def is_over(self) -> bool:
        """Whether nothing is to come any more."""
        return not (self.next.steps or self.next.next in set(Asked))

    @property
    def is_long_over(self) -> bool:
        """Whether a machine that still hears us would have asked, and been told, that nothing is to come any more."""
        finished = None if self.state is None else self.state.finished_at
        return self.is_over and (finished is None or self.at - finished > _TO_END)

    @property
    def is_behind(self) -> bool:
        """Whether something has come to pass that nobody has written down yet, as when the deadline is over."""
        return self.state is not None and bool(advance(self.state, self.at).events)

    def turn(self, step: StepOf) -> TurnTold:
        """Return what the machine does with one step."""
        if self.state is None or not is_of(step, self.state):
            return TurnTold(next=Turn.LEAVE)
        return step_told(self.state, step.step_id, step.phase, self.at)

    def lets_go_on(self, wait: Wait) -> bool:
        """Return whether a machine has no reason any more to stand where it stands."""
        if wait.step is None:
            return self.next.next != wait.asked
        told = self.turn(wait.step)
        soon = self.at + timedelta(seconds=told.wait_s + 1)
        return told.next is not Turn.AWAIT or soon < wait.until


def standing_of(plan_id: str, work: OrchestrationWork, visibility_s: float, *, locked: bool = False) -> Standing:
    """Return how a plan stands; if it is to be locked, nobody changes it until the unit of work ends."""
    plan = work.plans.get(plan_id)
    state = None
    if plan.execution_id is not None:
        state = (work.executions.lock if locked else work.executions.get)(plan.execution_id)
    if locked:
        plan = work.plans.lock(plan_id)
        if state is None and plan.execution_id is not None:
            state = work.executions.get(plan.execution_id)
    approval = work.approvals.latest_for(plan_id)
    until = None if approval is None or approval.version != plan.version else approval.expires_at
    return Standing(plan, state, until, work.now(), visibility_s)
