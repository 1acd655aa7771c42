"""Executions that are walked at random: whatever is thrown at one, with a small world that tells what is true."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.builders.executions import NOW, WRONG, an_execution

from carapulse.executions.applying import apply
from carapulse.executions.events import (
    CancelRequested,
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
from carapulse.executions.lifecycle import advance
from carapulse.executions.model import Effect, ExecutionState, Status, StepStatus

ME = {"execution_id": "exec_1"}


@dataclass
class Walk:
    """One execution, all that happened to it, and which effects are there in truth."""

    first: ExecutionState
    state: ExecutionState
    at: datetime = NOW
    log: list[Any] = field(default_factory=list)
    prior: dict[Any, Any] = field(default_factory=dict)
    there: set[Any] = field(default_factory=set)
    seen: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, *steps, **more):
        """Begin to walk."""
        first = an_execution(*steps, **more)
        return cls(first, first)

    @property
    def offered(self):
        """What may start now."""
        return advance(self.state, self.at).starts

    def happened(self, event):
        """Note an event and all that follows from it."""
        self.seen.append((self.state, event))
        self.log.append((event, self.at))
        self.state = apply(self.state, event, self.at)
        self.advances()

    def advances(self):
        """Note what follows by itself."""
        now = advance(self.state, self.at)
        self.log += [(event, self.at) for event in now.events]
        self.state = now.state

    def replayed(self):
        """Return the state that the noted events give."""
        state = self.first
        for event, at in self.log:
            state = apply(state, event, at)
        return state

    def move(self, kind, which):
        """Let something happen, if it can."""
        self.at += timedelta(seconds=1)
        if not self.state.over:
            getattr(self, f"_{kind}")(which)

    def _start(self, which):
        offered = self.offered
        if offered:
            start = offered[which % len(offered)]
            self.prior[start.step_id, start.phase] = self.state.step(start.step_id).part(start.phase).effect
            names = {"step_id": start.step_id, "phase": start.phase, "attempt": start.attempt}
            self.happened(StepStarted(**ME, **names, fence=self.state.fences + 1, lease="lease_1"))

    def _ended(self, which, event, *, touched, **facts):
        running = self.state.running
        if not running:
            return
        step, phase, part = running[which % len(running)]
        name = step.facts.id
        if touched and step.facts.writes and not self.state.dry_run:
            self.there = self.there | {name} if phase == "run" else self.there - {name}
        if "effect" in facts:
            nothing = not step.facts.writes or self.state.dry_run
            facts["effect"] = Effect.NONE if nothing else facts["effect"] or self.prior[name, phase]
        self.happened(event(**ME, step_id=name, phase=phase, fence=part.fence, **facts))

    def _ok(self, which):
        self._ended(which, StepSucceeded, touched=True, output_digest=None, duration_ms=1)

    def _fail(self, which):
        self._ended(which, StepFailed, touched=False, error=WRONG, effect=None)

    def _half(self, which):
        self._ended(which, StepFailed, touched=True, error=WRONG, effect=Effect.MAYBE)

    def _again(self, which):
        later = self.at + timedelta(seconds=which)
        self._ended(which, StepRetried, touched=True, error=WRONG, effect=Effect.MAYBE, retry_at=later)

    def _unknown(self, which):
        self._ended(which, StepUnknown, touched=bool(which % 2), error=WRONG)

    def _taken(self, which):
        running = self.state.running
        if running:
            step, phase, _ = running[which % len(running)]
            names = {"step_id": step.facts.id, "phase": phase, "fence": self.state.fences + 1}
            self.happened(StepTakenOver(**ME, **names, lease="lease_2"))

    def _refuse(self, which):
        starts = self.offered
        if starts:
            start = starts[which % len(starts)]
            effect = self.state.step(start.step_id).part(start.phase).effect
            names = {"step_id": start.step_id, "phase": start.phase, "fence": 0, "error": WRONG, "effect": effect}
            self.happened(StepFailed(**ME, **names))

    def _forward(self, which):
        return [each for each in self.offered if each.phase == "run" and each.attempt == 1][which % 3 : which % 3 + 1]

    def _skip(self, which):
        for start in self._forward(which):
            self.happened(StepSkipped(**ME, step_id=start.step_id, condition="false"))

    def _delay(self, which):
        for start in self._forward(which):
            self.happened(StepDelayed(**ME, step_id=start.step_id, until=self.at + timedelta(seconds=which)))

    def _pause(self, _):
        self.happened(PauseRequested(**ME))

    def _resume(self, _):
        self.happened(ResumeRequested(**ME))

    def _cancel(self, _):
        self.happened(CancelRequested(**ME, undo=not self.state.goes_back))

    def _keep(self, _):
        self.happened(CancelRequested(**ME, undo=False))

    def _deadline(self, _):
        self.at = max(self.at, self.state.deadline_at)
        self.advances()

    def _retry(self, which):
        """Have a failed step tried again, if somebody is asked about one."""
        self._answer(which, StepStatus.FAILED, lambda name: RetryRequested(**ME, step_id=name, note="again"))

    def _resolve(self, which):
        """Say what is true of an unknown step."""
        self._answer(
            which,
            StepStatus.UNKNOWN,
            lambda name: StepResolved(**ME, step_id=name, done=name in self.there, note="seen"),
        )

    def _answer(self, which, status, event):
        if self.state.status is Status.NEEDS_HUMAN:
            asked = [name for name in self.state.left if self.state.step(name).run.status is status]
            if asked:
                self.happened(event(asked[which % len(asked)]))

    def settle(self, most=500):
        """Let it come to its end, as people and the world would."""
        for _ in range(most):
            if self.state.over:
                return
            if self.state.paused:
                self.move("resume", 0)
            elif self.state.status is Status.NEEDS_HUMAN:
                lost = any(step.run.status is StepStatus.UNKNOWN for step in self.state.steps)
                self.move("resolve" if lost else "cancel", 0)
            else:
                self.move("ok" if self.state.running else "start", 0)
        raise AssertionError("it never came to an end")
