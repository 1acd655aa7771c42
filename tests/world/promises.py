"""What a plan's shape promises, held against everything that happened to its run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.world.replay import Moment
from tests.world.server import DEEDS, World
from tests.world.shapes import CHECK_S, EVERY_S, Shape

from carapulse.executions.events import StepFailed, StepSkipped, StepStarted, StepSucceeded
from carapulse.executions.model import Effect, ExecutionState, StepState, StepStatus
from carapulse.kernel.canonical import digest

_ENDED = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}
_UNDO_ENDED = {StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.UNKNOWN}


@dataclass(frozen=True)
class Promises:
    """One run of a plan of some shape."""

    shape: Shape
    history: Sequence[Moment]
    world: World

    def faults(self) -> Iterator[str]:
        """Yield which promises were not kept."""
        for moment in self.history:
            event = moment.event
            if isinstance(event, StepStarted) and event.phase == "run":
                yield from self._faults_of_a_start(moment.before, event)
            elif isinstance(event, StepStarted):
                yield from self._faults_of_an_undo(moment.before, event.step_id)
            elif isinstance(event, StepSkipped) and self._holds(moment.before, event.step_id) is not False:
                yield f"{event.step_id} was skipped, and nothing was against it"
            yield from self._faults_of_the_width(moment.after)
        yield from self._faults_of_what_was_skipped()
        yield from self._faults_of_the_inputs()
        yield from self._faults_of_the_pauses()
        yield from self._faults_of_the_checks()

    def borne(self, state: ExecutionState) -> set[str]:
        """Return the steps that have failed, and whose fan-out bears it."""
        return {each for name in self.shape.groups for each in self._failed(state, name) if self._bears(state, name)}

    def _bears(self, state: ExecutionState, group: str) -> bool:
        return len(self._failed(state, group)) <= self.shape.groups[group].max_failures

    def _failed(self, state: ExecutionState, group: str) -> list[str]:
        members = self.shape.members[group]
        return [each for each in members if state.step(each).run.status is StepStatus.FAILED]

    def _faults_of_a_start(self, state: ExecutionState, event: StepStarted) -> Iterator[str]:
        name, step = event.step_id, state.step(event.step_id)
        ended = self.borne(state) | {each.facts.id for each in state.steps if each.run.status in _ENDED}
        earlier = {each.facts.id for each in state.steps if each.facts.stage.rank < step.facts.stage.rank}
        if missing := (earlier | self.shape.before(name)) - ended:
            yield f"{name} began before {missing} had ended"
        for group, members in self.shape.members.items():
            if group in self.shape.groups and name in members and not self._bears(state, group):
                yield f"{name} began although {self._failed(state, group)} of {group} had failed"
        if self._holds(state, name) is False:
            yield f"{name} began, and its condition did not hold"
        source = self.shape.sources.get(name)
        if source is not None:
            given = {"lamp": self.shape.lamps[name][0], "lit": self.shape.gives(source)}
            if state.step(source).run.status is not StepStatus.SUCCEEDED:
                yield f"{name} began, and {source} had nothing to give"
            if event.input_digest != digest(given):
                yield f"{name} was not given {given}"

    def _holds(self, state: ExecutionState, name: str) -> bool | None:
        """Return whether a step's condition holds; None if it has none."""
        condition = self.shape.conditions.get(name)
        if condition is None:
            return None
        return condition.holds(state.step(condition.step).run.status, seen=self.shape.drawn.seen)

    def _faults_of_an_undo(self, state: ExecutionState, name: str) -> Iterator[str]:
        later = (each for each in state.steps if name in self.shape.before(each.facts.id))
        if waiting := [each.facts.id for each in later if _is_there(each)]:
            yield f"{name} was undone before {waiting}, which depend on it"

    def _faults_of_the_width(self, state: ExecutionState) -> Iterator[str]:
        going = {step.facts.id for step, phase, _ in state.running if phase == "run"}
        units = {name for name, members in self.shape.members.items() if going.intersection(members)}
        if len(units) > state.max_concurrency:
            yield f"{units} ran at once, and only {state.max_concurrency} may"
        for name, group in self.shape.groups.items():
            if len(together := going.intersection(self.shape.members[name])) > group.max_concurrency:
                yield f"{together} ran at once, and only {group.max_concurrency} may"

    def _faults_of_what_was_skipped(self) -> Iterator[str]:
        for moment in self.history:
            name = moment.event.step_id if isinstance(moment.event, StepSkipped) else None
            if name in self.shape.lamps and (done := self._told(name)):
                yield f"{name} was skipped, and {done} took place"

    def _told(self, name: str) -> list[str]:
        lamp, action = self.shape.lamps[name]
        return [deed for deed in self.world.effects if deed == f"{DEEDS[action]} {lamp}"]

    def _faults_of_the_inputs(self) -> Iterator[str]:
        starts = [each.event for each in self.history if isinstance(each.event, StepStarted)]
        undone = {event.step_id for event in starts if event.phase == "undo"}
        for name, source in self.shape.sources.items():
            said = {self.shape.gives(source)} | ({False} if name in undone else set())
            if wrong := set(self.world.told.get(self.shape.lamps[name][0], ())) - said:
                yield f"{name} was told {wrong}, and {source} gave something else"

    def _faults_of_the_pauses(self) -> Iterator[str]:
        for name, (seconds, until) in self.shape.pauses.items():
            began: datetime | None = None
            for moment in self._moments_of(name):
                began = began or moment.at
                due = until or began + timedelta(seconds=seconds)
                if isinstance(moment.event, StepSucceeded) and moment.at < due:
                    yield f"{name} ended at {moment.at}, and was to wait until {due}"
                if isinstance(moment.event, StepFailed):
                    began = None  # who is tried again waits again
                    if name not in self.shape.hasty:
                        yield f"{name} failed: {moment.event.error}"
                if isinstance(moment.event, StepSucceeded) and name in self.shape.hasty:
                    yield f"{name} waited for longer than it might take"

    def _faults_of_the_checks(self) -> Iterator[str]:
        """Whoever waits for a lamp goes on when it is lit, and gives up when there is no time for another question."""
        began: datetime | None = None
        for moment in self._moments_of("ready"):
            began, state = began or moment.at, moment.before
            stopped = state.expired or state.cancel_undo is not None
            if isinstance(moment.event, StepSucceeded) and not self.world.on.get(self.shape.awaited):
                yield "the lamp that was waited for was never lit"
            if isinstance(moment.event, StepFailed):
                if not stopped and moment.at < began + timedelta(seconds=CHECK_S - EVERY_S):
                    yield f"the lamp was given up {moment.at - began} after it was first looked at: {moment.event.error}"
                began = None

    def _moments_of(self, name: str) -> Iterator[Moment]:
        return (each for each in self.history if getattr(each.event, "step_id", None) == name)


def _is_there(step: StepState) -> bool:
    """Return whether something is still to be undone of a step: what nobody knows is not, nor what has no way back."""
    undoable = step.facts.writes and step.facts.undoable and step.run.status is not StepStatus.UNKNOWN
    return undoable and step.run.effect is not Effect.NONE and step.part("undo").status not in _UNDO_ENDED
