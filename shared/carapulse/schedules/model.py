"""A schedule: when something is to be asked for, and what. Pure values."""

from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.names import Slug
from carapulse.kernel.record import Record
from carapulse.kernel.times import TimeZone
from carapulse.plans.requests import CreatePlan, WorkflowRequest
from carapulse.schedules.cron import Cron, runs_after
from carapulse.workflows.model import WorkflowName
from carapulse.workflows.requests import StartWorkflow

_SHOWN = 5


class ScheduledStart(StartWorkflow):
    """The start of a workflow, as if somebody had started it by hand."""

    name: WorkflowName


class ScheduledPlan(CreatePlan):
    """A plan, as if somebody had asked for it."""

    trigger: Literal["scheduled"] = "scheduled"


class ScheduleTerms(Record):
    """When something is asked for, and what: the start of a workflow, or a plan."""

    name: Slug
    cron: Cron
    timezone: TimeZone = "UTC"
    enabled: bool = Field(default=True, strict=True)
    workflow: ScheduledStart | None = None
    plan: ScheduledPlan | None = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        if (self.workflow is None) == (self.plan is None):
            raise ValueError("exactly one of workflow and plan is needed")
        return self

    @property
    def started(self) -> WorkflowRequest | None:
        """The workflow that it starts, directly or by the plan that it asks for, if it starts one."""
        if self.workflow is None:
            return None if self.plan is None else self.plan.workflow
        return WorkflowRequest(name=self.workflow.name, input=self.workflow.input, version=self.workflow.version)

    def due_after(self, at: datetime) -> tuple[datetime, ...]:
        """Return when it comes due next, at most five times; one that is switched off never does."""
        return runs_after(self.cron, self.timezone, at, _SHOWN) if self.enabled else ()


class Schedule(ScheduleTerms):
    """A schedule as it is kept."""

    id: str
    created_by: str
    created_at: AwareDatetime
    updated_by: str
    updated_at: AwareDatetime
    last_run_at: AwareDatetime | None = None

    @classmethod
    def of(cls, terms: ScheduleTerms, call: Call) -> Self:
        """Return a new schedule; whoever asks is its author."""
        who, at = call.actor.id, call.at
        return cls(**dict(terms), id=new_id("schedule"), created_by=who, created_at=at, updated_by=who, updated_at=at)

    @property
    def terms(self) -> ScheduleTerms:
        """What people may change."""
        return ScheduleTerms(**{name: getattr(self, name) for name in ScheduleTerms.model_fields})

    def changed(self, terms: ScheduleTerms, call: Call) -> Self:
        """Return this schedule on other terms."""
        return self.model_copy(update={**dict(terms), "updated_by": call.actor.id, "updated_at": call.at})
