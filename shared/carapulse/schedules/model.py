"""A schedule: when something is to be asked for, and what. Pure values."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.names import Slug
from carapulse.kernel.record import Record
from carapulse.kernel.times import TimeZone
from carapulse.plans.reasons import Reason
from carapulse.plans.requests import CreatePlan, WorkflowRequest
from carapulse.schedules.cron import Cron, runs_after
from carapulse.schedules.runs import RunStatus, ScheduleRun
from carapulse.workflows.model import WorkflowName
from carapulse.workflows.requests import StartWorkflow

_SHOWN = 5


class ScheduledStart(StartWorkflow):
    """The start of a workflow, as if somebody had started it by hand."""

    name: WorkflowName

    @property
    def request(self) -> CreatePlan:
        """The plan that is asked for by it."""
        return CreatePlan(
            summary=self.summary or f"Start {self.name}",
            intent=self.intent,
            trigger="scheduled",
            context=self.context,
            workflow=WorkflowRequest(name=self.name, input=self.input, version=self.version),
            constraints=self.constraints,
        )


class ScheduledPlan(CreatePlan):
    """A plan, as if somebody had asked for it."""

    trigger: Literal["scheduled"] = "scheduled"


class ScheduleTerms(Record):
    """When something is asked for, and what: the start of a workflow, or a plan."""

    name: Slug
    cron: Cron
    timezone: TimeZone = "UTC"
    enabled: bool = Field(default=True, strict=True)
    catch_up_s: int = Field(
        default=86_400, ge=300, le=604_800, strict=True, description="what is older when somebody looks is skipped"
    )
    overlap_policy: Literal["skip"] = Field(
        default="skip", description="what is done when it comes due while its last plan is open"
    )
    workflow: ScheduledStart | None = None
    plan: ScheduledPlan | None = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        if (self.workflow is None) == (self.plan is None):
            raise ValueError("exactly one of workflow and plan is needed")
        return self

    @property
    def request(self) -> CreatePlan:
        """The plan that is asked for each time; there is exactly one of the two."""
        asked = (self.plan, None if self.workflow is None else self.workflow.request)
        return next(each for each in asked if each is not None)

    @property
    def started(self) -> WorkflowRequest | None:
        """The workflow that it starts, directly or by the plan that it asks for, if it starts one."""
        if self.workflow is None:
            return None if self.plan is None else self.plan.workflow
        return WorkflowRequest(name=self.workflow.name, input=self.workflow.input, version=self.workflow.version)

    def due_after(self, at: datetime) -> tuple[datetime, ...]:
        """Return when it comes due next, at most five times; one that is switched off never does."""
        return runs_after(self.cron, self.timezone, at, _SHOWN) if self.enabled else ()

    def next_after(self, at: datetime) -> datetime | None:
        """Return when it comes due next; None while it is switched off."""
        return next(iter(runs_after(self.cron, self.timezone, at, 1)), None) if self.enabled else None

    def comes_due_at(self, moment: datetime) -> bool:
        """Say whether it names this moment: one that was put off, or changed by a program of before, may not."""
        named = self.next_after(moment - timedelta(microseconds=1))
        # A time that clocks show twice equals no time in another zone.
        return named is not None and named.timestamp() == moment.timestamp()

    def comes_due_as(self, other: "ScheduleTerms") -> bool:
        """Say whether it comes due at the same moments as on other terms."""
        return all(getattr(self, name) == getattr(other, name) for name in ("cron", "timezone", "enabled"))


class Schedule(ScheduleTerms):
    """A schedule as it is kept, and what last came of it."""

    id: str
    created_by: str
    created_at: AwareDatetime
    updated_by: str
    updated_at: AwareDatetime
    authors: tuple[str, ...] = Field(
        default=(),
        description="everybody who made or changed it, or a key that did: none of them may approve its plans",
    )
    last_run_at: AwareDatetime | None = Field(default=None, description="when it last came due and somebody saw it")
    last_due_at: AwareDatetime | None = Field(default=None, description="the moment that this was for")
    last_plan_id: str | None = Field(default=None, description="the last plan that came of it")
    last_status: RunStatus | None = None
    last_reasons: tuple[Reason, ...] = Field(default=(), description="why no plan came of the last time")

    @classmethod
    def of(cls, terms: ScheduleTerms, call: Call) -> Self:
        """Return a new schedule; whoever asks is its author."""
        who, at = call.actor.id, call.at
        made = cls(**dict(terms), id=new_id("schedule"), created_by=who, created_at=at, updated_by=who, updated_at=at)
        return made.model_copy(update={"authors": made._written_by(call.actor)})

    @property
    def terms(self) -> ScheduleTerms:
        """What people may change."""
        return ScheduleTerms(**{name: getattr(self, name) for name in ScheduleTerms.model_fields})

    @property
    def kept(self) -> "Schedule":
        """What the ETag is over: neither time that goes by nor what comes of the schedule changes it."""
        return Schedule(**{name: getattr(self, name) for name in Schedule.model_fields.keys() - STANDING})

    @property
    def everybody(self) -> tuple[str, ...]:
        """Everybody who wrote it. A program of before kept none but the first and the last."""
        return tuple(sorted({*self.authors, self.created_by, self.updated_by}))

    @property
    def standing(self) -> dict[str, Any]:
        """What last came of it, as JSON."""
        return self.model_dump(mode="json", include=set(STANDING))

    def changed(self, terms: ScheduleTerms, call: Call) -> Self:
        """Return this schedule on other terms."""
        changes = {"updated_by": call.actor.id, "updated_at": call.at, "authors": self._written_by(call.actor)}
        return self.model_copy(update={**dict(terms), **changes})

    def came_to(self, run: ScheduleRun) -> Self:
        """Return this schedule with what came of a run; a later run's word is not undone by an earlier one's."""
        plan = {"last_plan_id": run.plan_id or self.last_plan_id}
        if self.last_due_at is not None and run.due_at < self.last_due_at:
            return self.model_copy(update=plan)
        last = {"last_run_at": run.at, "last_due_at": run.due_at, "last_status": run.status}
        return self.model_copy(update={**plan, **last, "last_reasons": run.reasons})

    def _written_by(self, actor: Actor) -> tuple[str, ...]:
        """Return everybody who wrote it with one more; whoever made a key answers for it."""
        return tuple(sorted({*self.everybody, *actor.answerable}))


STANDING: Final = frozenset({"last_run_at", "last_due_at", "last_plan_id", "last_status", "last_reasons"})
"""What comes of a schedule, rather than what people say of it."""


def schedule_actor(name: str) -> Actor:
    """Return the actor that asks for the plans of a schedule of this name: it may ask, and answers nothing."""
    return Actor(id=f"schedule:{name}", kind="service", roles=frozenset({"service", "operator"}))
