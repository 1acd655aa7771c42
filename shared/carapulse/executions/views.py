"""What callers are shown of executions, in the words of the API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import Field

from carapulse.executions.lines import Line
from carapulse.executions.model import Cause, Effect, ExecutionState, Phase, Run, StepError, StepState, StepStatus
from carapulse.executions.model import Status as ExecutionStatus
from carapulse.executions.progress import deadlines_of, percent_of, waits_of
from carapulse.kernel.record import Record
from carapulse.plans.model import PlanVersion
from carapulse.plans.steps import Stage


class PartView(Record):
    """How far the undo of a step has come."""

    status: StepStatus
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    error: StepError | None

    @classmethod
    def of(cls, part: Run) -> Self:
        """Return what is shown."""
        return cls(**{name: getattr(part, name) for name in cls.model_fields})


class StepView(PartView):
    """One step of an execution."""

    id: str
    stage: Stage
    tool: str
    action: str
    effect: Effect
    retry_at: datetime | None
    waits_for: str | None = Field(description="what it waits for, in words")
    deadline_at: datetime | None = Field(description="until when it may take, once it has begun")
    undo: PartView | None

    @classmethod
    def shown(
        cls, step: StepState, version: PlanVersion, waits: Mapping[str, str], deadlines: Mapping[str, datetime]
    ) -> Self:
        """Return what is shown of a step; tool and action come from the plan version."""
        planned = next(each for each in version.steps if each.id == step.facts.id)
        run = {name: getattr(step.run, name) for name in (*PartView.model_fields, "effect", "retry_at")}
        return cls(
            id=planned.id,
            stage=planned.stage,
            tool=planned.tool,
            action=planned.action,
            waits_for=waits.get(planned.id),
            deadline_at=deadlines.get(planned.id),
            undo=PartView.of(step.undo) if step.undo else None,
            **run,
        )


class ExecutionSummary(Record):
    """One line of a list."""

    execution_id: str
    plan_id: str
    plan_version: int
    status: ExecutionStatus
    cause: Cause | None
    paused: bool
    dry_run: bool
    requested_by: str
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, state: ExecutionState) -> Self:
        """Return what is shown in a list."""
        return cls(**_summary(state))


class ExecutionView(ExecutionSummary):
    """An execution with every step. `left` names the steps whose effect is, or may be, still there.

    A report that was made counts only if it was to be undone. Of a run that goes back on another, it names what
    was not gone back on, and what could not be verified.
    """

    digest: str
    approval_id: str | None
    undoes: str | None = Field(description="the execution that it goes back on")
    deadline_at: datetime
    next_deadline_at: datetime | None = Field(
        description="the run's, or that of a step that comes earlier; null when it has passed"
    )
    percent: int = Field(description="how much of the run is behind us")
    left: tuple[str, ...]
    steps: tuple[StepView, ...]

    @classmethod
    def shown(cls, state: ExecutionState, version: PlanVersion, at: datetime) -> Self:
        """Return all that is shown at a moment."""
        waits = waits_of(state, at)
        deadlines = deadlines_of(state, {step.id: step.deadline_s for step in version.steps})
        return cls(
            **_summary(state),
            digest=state.digest,
            approval_id=state.approval_id,
            undoes=state.undoes,
            deadline_at=state.deadline_at,
            next_deadline_at=None if state.over or state.expired else min([state.deadline_at, *deadlines.values()]),
            percent=percent_of(state),
            left=state.left,
            steps=tuple(StepView.shown(step, version, waits, deadlines) for step in state.steps),
        )


class LineView(Record):
    """One line that a tool wrote."""

    step_id: str
    phase: Phase
    at: datetime
    line: str

    @classmethod
    def of(cls, line: Line) -> Self:
        """Return what is shown."""
        return cls(step_id=line.step_id, phase=line.phase, at=line.at, line=line.line)


class Accepted(Record):
    """What was asked for is on its way; follow the execution under its id."""

    execution_id: str
    plan_id: str
    status: ExecutionStatus
    paused: bool

    @classmethod
    def of(cls, shown: ExecutionSummary) -> Self:
        """Return what is told of an execution to whoever changed it."""
        return cls(**{name: getattr(shown, name) for name in cls.model_fields})


def _summary(state: ExecutionState) -> dict[str, object]:
    return {
        "execution_id": state.id,
        "plan_id": state.plan_id,
        "plan_version": state.plan_version,
        "status": state.status,
        "cause": state.cause,
        "paused": state.paused,
        "dry_run": state.dry_run,
        "requested_by": state.requested_by.id,
        "started_at": state.started_at,
        "finished_at": state.finished_at,
    }
