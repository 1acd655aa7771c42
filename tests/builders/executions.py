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
from carapulse.executions.lifecycle import Go, Start, TurnBack, decide
from carapulse.executions.model import Effect, StepError, StepFacts
from carapulse.kernel.call import Actor
from carapulse.plans.steps import Stage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WRONG = StepError(code="tool-failed", detail="it did not")


def facts(step_id, stage="act", *, position=1, after=(), undoable=True):
    writes = stage in {"act", "report"}
    return StepFacts(
        id=step_id,
        stage=Stage(stage),
        position=position,
        depends_on=after,
        writes=writes,
        undoable=undoable and stage == "act",
    )


def an_execution(*steps):
    event = ExecutionStarted(
        execution_id="exec_1",
        plan_id="plan_1",
        plan_version=1,
        digest="sha256:1",
        approval_id=None,
        requested_by=Actor(id="ada"),
        deadline_at=NOW + timedelta(hours=1),
        steps=steps,
    )
    return begin(event, NOW)


class Run:
    """An execution that is walked by hand."""

    def __init__(self, *steps):
        self.state = an_execution(*steps)

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

    def starts(self):
        step, fence = self.next, self.state.fences + 1
        names = {"execution_id": "exec_1", "step_id": step.step_id, "phase": step.phase, "fence": fence}
        self.happened(StepStarted(**names, attempt=step.attempt))
        return names

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
