"""What must be true of a run whose worker was killed, whichever boundary that was at."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from tests.faults.killing.scenes import Scene
from tests.faults.killing.victims import Glance
from tests.world.replay import faults_of_the_log, log_of
from tests.world.rig import a_call
from tests.world.server import DEEDS, World

from carapulse.bootstrap import App
from carapulse.executions.model import Effect, ExecutionState, Run, Status, StepState, StepStatus
from carapulse.plans.model import PlanVersion

_BELL = "bell"


class Ended:
    """A run at rest: its state, its log, the world, and what is left in the database."""

    def __init__(self, app: App, plan_id: str, scene: Scene, world: World, glance: Glance) -> None:
        self.scene, self.world, self.glance = scene, world, glance
        with app.begin(a_call()) as work:
            (found,) = work.connection.execute(text("SELECT id FROM executions")).scalars()
            self.state: ExecutionState = work.executions.get(found)
            self.version: PlanVersion = work.plans.version(plan_id, 1)
        self.faults_of_the_log = tuple(faults_of_the_log(app, plan_id, self.state))
        self.taken_over = Counter(
            (each.body["step_id"], each.body["phase"]) for each in log_of(app, plan_id) if each.type == "StepTakenOver"
        )

    @property
    def parts(self) -> dict[str, tuple[str, str]]:
        """How the run and the undo of each step that writes ended. Of two looks at once either may be first to fail."""
        steps = [each for each in self.state.steps if each.facts.writes]
        return {each.facts.id: (each.run.status.value, each.part("undo").status.value) for each in steps}

    @property
    def repeated(self) -> int:
        """How many effects took place once more, which only idempotent actions may, after their worker was lost."""
        return sum(max(0, self.world.counts[deed] - max(1, once)) for deed, (once, _) in self._deeds().items())

    def faults(self, usual: "Ended | None") -> Iterator[str]:
        """Yield what is wrong; `usual` is the same run with nobody killed."""
        yield from self._faults_of_the_end(usual)
        yield from self._faults_of_the_world()
        yield from self.faults_of_the_log
        leases = self.glance.number("SELECT count(*) FROM run_leases")
        if leases:
            yield f"{leases:g} leases are left"
        messages = self.glance.number("SELECT count(*) FROM messages WHERE queue = 'executions'")
        if messages:
            yield f"{messages:g} messages are left"
        locks = self.glance.number("SELECT count(*) FROM target_locks")
        if (locks > 0) is not (self.state.status is Status.NEEDS_HUMAN):
            yield f"{locks:g} targets are locked in {self.state.status}"

    def _faults_of_the_end(self, usual: "Ended | None") -> Iterator[str]:
        if self.state.status is Status.NEEDS_HUMAN:
            bell = self.state.step(_BELL).run
            if bell.status is not StepStatus.UNKNOWN or not self.taken_over[_BELL, "run"]:
                yield "a person is asked, though no worker was lost at the bell"
        elif usual is not None and (self.state.status, self.parts) != (usual.state.status, usual.parts):
            why = [
                (each.facts.id, part.error.detail) for each in self.state.steps for part in _parts(each) if part.error
            ]
            yield f"it ended otherwise than usual: {self.state.status} {self.parts} {why}"

    def _faults_of_the_world(self) -> Iterator[str]:
        allowed = self._deeds()
        for deed, count in self.world.counts.items():
            if deed not in allowed:
                yield f"{deed} took place, and no step says so"
            elif count > sum(allowed[deed]):
                yield f"{deed} took place {count} times"
        for deed, (once, _) in allowed.items():
            if self.world.counts[deed] < once:
                yield f"{deed} took place {self.world.counts[deed]} times instead of {once}"
        if self.state.status is Status.ROLLED_BACK:
            lit = {lamp for lamp, on in self.world.on.items() if on}
            if lit != {lamp for lamp, on in self.scene.on.items() if on}:
                yield f"the world is not as before: {lit}"

    def _deeds(self) -> dict[str, tuple[int, int]]:
        """Return how often each effect must have taken place, and how often more it may have."""
        found: dict[str, tuple[int, int]] = {}
        for step in self.version.steps:
            if not step.mutating:
                continue
            place = self.state.step(step.id)
            more = self.taken_over[step.id, "run"] if step.idempotent else 0
            nobody_knows = place.run.status is StepStatus.UNKNOWN
            _add(found, step, DEEDS[step.action], int(place.run.effect is Effect.DONE), int(nobody_knows) + more)
            undone = place.part("undo").status is StepStatus.SUCCEEDED
            _add(found, step, "PUT", int(undone), self.taken_over[step.id, "undo"])
        return found


def _parts(step: StepState) -> tuple[Run, Run]:
    return step.part("run"), step.part("undo")


def _add(found: dict[str, tuple[int, int]], step: Any, word: str, once: int, more: int) -> None:
    deed = f"{word} {step.input['lamp']}"
    before = found.get(deed, (0, 0))
    if once or more or deed in found:
        found[deed] = (before[0] + once, before[1] + more)
