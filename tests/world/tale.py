"""What one plan of the property test was to do, and what must be true of it in the end."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.world.promises import Promises
from tests.world.replay import faults_of_the_log, log_of, moments
from tests.world.rig import Rig
from tests.world.server import DEEDS
from tests.world.shapes import Shape

from carapulse.executions.model import Effect, ExecutionState, Status, StepState, StepStatus
from carapulse.plans.views import PlanView

ONCE = {"toggle", "ring"}


@dataclass
class Tale:
    """One plan. Its lamps are its own, so that what was done to them was done by it."""

    rig: Rig
    plan: PlanView
    shape: Shape
    execution: str | None = None
    approved: bool = False
    denied: bool = False
    tried_again: bool = False

    @property
    def lamps(self) -> dict[str, tuple[str, str]]:
        """The lamp of each step that changes one, and what it does to it."""
        return self.shape.lamps

    @property
    def state(self) -> ExecutionState:
        """The execution as it is kept."""
        assert self.execution is not None
        return self.rig.state(self.execution)

    @property
    def effects(self) -> Counter[str]:
        """What was done to its lamps."""
        mine = {lamp for lamp, _ in self.lamps.values()}
        return Counter({deed: count for deed, count in self.rig.world.counts.items() if deed.split()[1] in mine})

    def named(self, place: int) -> str:
        """Return one of its steps, or of what is made of them."""
        names = list(self.shape.after)
        return names[place % len(names)]

    def changed(self, place: int) -> str:
        """Return one of its steps that change something."""
        names = list(self.lamps)
        return names[place % len(names)]

    def together(self, place: int) -> list[tuple[str, str]]:
        """Return one of its lamps and what is done to it, or all of them that are made of one step."""
        lamps = list(self.lamps.items())
        if place < len(lamps):
            return [lamps[place][1]]
        chosen = lamps[place % len(lamps)][0]
        return [self.lamps[each] for each in next(each for each in self.shape.members.values() if chosen in each)]

    def took_place(self, step_id: str) -> bool:
        """Return what the world knows of a step."""
        lamp, action = self.lamps[step_id]
        return self.rig.world.counts[f"{DEEDS[action]} {lamp}"] > 0

    def faults_so_far(self) -> Iterator[str]:
        """Yield what is wrong at any moment."""
        if self.execution is None and self.effects:
            yield f"nobody executed it, and {self.effects} took place"
        if self.plan.approvals_required and not self.approved and self.effects:
            yield f"nobody approved it, and {self.effects} took place"
        for lamp, action in self.lamps.values():
            deed = f"{DEEDS[action]} {lamp}"
            if action in ONCE and self.rig.world.counts[deed] > 1:
                yield f"{deed} took place {self.rig.world.counts[deed]} times"

    def faults(self) -> Iterator[str]:
        """Yield what is wrong once everything is over."""
        yield from self.faults_so_far()
        if self.execution is None:
            return
        state = self.state
        if not state.over:
            yield f"it never ended: {state.status}"
            return
        yield from self._faults_of_the_log(state)
        promises = Promises(self.shape, tuple(moments(self.rig.app, self.plan.plan_id)), self.rig.world)
        yield from promises.faults()
        yield from self._faults_of_the_end(state, promises.borne(state))

    def _faults_of_the_end(self, state: ExecutionState, borne: set[str]) -> Iterator[str]:
        for step in state.steps:
            if step.facts.id in self.lamps and step.run.effect is Effect.DONE and not self.took_place(step.facts.id):
                yield f"{step.facts.id} is said to be done, and is not"
        if state.status is Status.SUCCEEDED:
            done = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}
            missing = {step.facts.id for step in state.steps if step.run.status not in done}
            if missing := missing - borne:
                yield f"it succeeded without {missing}"
        elif state.left != (really := tuple(step.facts.id for step in state.steps if _is_left(step))):
            yield f"it says that {state.left} is left, and it is {really}"
        if state.status is Status.ROLLED_BACK and (lit := [lamp for lamp, _ in self.lamps.values() if self._lit(lamp)]):
            yield f"it was rolled back, and {lit} are on"

    def _lit(self, lamp: str) -> bool:
        return self.rig.world.on.get(lamp, False)

    def _faults_of_the_log(self, state: ExecutionState) -> Iterator[str]:
        yield from faults_of_the_log(self.rig.app, self.plan.plan_id, state)
        paused, fences = False, [0]
        for event in log_of(self.rig.app, self.plan.plan_id):
            if event.type in {"PauseRequested", "ResumeRequested", "CancelRequested"}:
                paused = event.type == "PauseRequested"
            elif event.type in {"StepStarted", "StepTakenOver"}:
                fences.append(event.body["fence"])
                if paused and event.type == "StepStarted":
                    yield f"{event.body} began during a pause"
        if fences != sorted(set(fences)):
            yield f"the fences are not in order: {fences}"


def _is_left(step: StepState) -> bool:
    undone = step.undo is not None and step.undo.status is StepStatus.SUCCEEDED
    return step.facts.writes and step.run.effect is not Effect.NONE and not undone
