"""Executions that are walked by hand, event by event."""

from datetime import UTC, datetime, timedelta

from carapulse.executions.applying import apply, begin
from carapulse.executions.events import (
    ExecutionStarted,
    ExecutionUndoing,
    StepFailed,
    StepStarted,
    StepSucceeded,
)
from carapulse.executions.lifecycle import Go, Start, TurnBack, advance, decide
from carapulse.executions.model import Effect, StepError, StepFacts
from carapulse.kernel.call import Actor
from carapulse.plans.steps import Stage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WRONG = StepError(code="tool-failed", detail="it did not")


def facts(step_id, stage="act", *, position=1, after=(), undoable=True, **more):
    writes = stage in {"act", "report"}
    return StepFacts(
        id=step_id,
        stage=Stage(stage),
        position=position,
        depends_on=after,
        writes=writes,
        undoable=undoable and stage == "act",
        **more,
    )


def an_execution(*steps, **more):
    event = ExecutionStarted(
        execution_id="exec_1",
        plan_id="plan_1",
        plan_version=1,
        digest="sha256:1",
        approval_id=None,
        requested_by=Actor(id="ada"),
        deadline_at=NOW + timedelta(hours=1),
        steps=steps,
        **more,
    )
    return begin(event, NOW)


class Run:
    """An execution that is walked by hand."""

    def __init__(self, *steps, **more):
        self.state = an_execution(*steps, **more)

    @property
    def next(self):
        """What comes next; of a single start, that start."""
        coming = decide(self.state)
        return coming.starts[0] if isinstance(coming, Go) and len(coming.starts) == 1 else coming

    def happened(self, event):
        """Apply an event, and turn back if that follows."""
        self.state = apply(self.state, event, NOW)
        if isinstance(self.next, TurnBack):
            self.state = apply(self.state, ExecutionUndoing(execution_id="exec_1", cause=self.next.cause), NOW)
        return self

    def advances(self, at=NOW):
        """Apply everything that follows by itself at a moment."""
        self.state = advance(self.state, at).state
        return self

    @property
    def startable(self):
        """The steps that may start, or whose undo may."""
        coming = decide(self.state)
        return [start.step_id for start in coming.starts] if isinstance(coming, Go) else []

    def starts(self, step_id=None):
        """Start the one that may, or the one of that id, and return what every event about the attempt names."""
        coming, fence = decide(self.state), self.state.fences + 1
        assert isinstance(coming, Go)
        step = next(each for each in coming.starts if step_id in {None, each.step_id})
        names = {"execution_id": "exec_1", "step_id": step.step_id, "phase": step.phase, "fence": fence}
        self.happened(StepStarted(**names, attempt=step.attempt))
        return names

    def ends(self, names, *, error=None, **more):
        """Say that a started attempt succeeded, or with an error that it failed."""
        if error is None:
            return self.happened(StepSucceeded(**names, output_digest=None, duration_ms=1))
        return self.happened(StepFailed(**names, error=error, **{"effect": Effect.NONE, **more}))

    def succeeds(self, *, times=1):
        for _ in range(times):
            self.happened(StepSucceeded(**self.starts(), output_digest=None, duration_ms=1))
        return self

    def fails(self, effect=Effect.NONE):
        return self.happened(StepFailed(**self.starts(), error=WRONG, effect=effect))


def coming(run):
    return (run.next.step_id, run.next.phase) if isinstance(run.next, Start) else run.next


def a_change():
    return Run(facts("look", "diagnose"), facts("a"), facts("b", position=2), facts("check", "verify"))


def two_steps(**more):
    """Return a run of one step after the other."""
    return Run(facts("a"), facts("b", position=2), **more)
