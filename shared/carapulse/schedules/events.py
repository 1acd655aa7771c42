"""What happens to schedules. Each is a fact in the schedule's own stream, named as its id."""

from typing import Self

from pydantic import AwareDatetime

from carapulse.kernel.canonical import digest
from carapulse.kernel.event import Event
from carapulse.plans.reasons import Reason
from carapulse.schedules.model import Schedule
from carapulse.schedules.runs import ScheduleRun


class _Kept(Event):
    schedule_id: str
    name: str
    cron: str
    timezone: str
    enabled: bool
    terms: str

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """Return the fact about this schedule; `terms` is the digest of all that people may change."""
        return cls(
            schedule_id=schedule.id,
            name=schedule.name,
            cron=schedule.cron,
            timezone=schedule.timezone,
            enabled=schedule.enabled,
            terms=digest(schedule.terms.model_dump(mode="json")),
        )


class ScheduleCreated(_Kept):
    """Something is to be asked for again and again."""


class ScheduleChanged(_Kept):
    """A schedule asks for something else, or at other times."""


class ScheduleDeleted(Event):
    """A schedule is gone."""

    schedule_id: str
    name: str


class _Ran(Event):
    schedule_id: str
    name: str
    due_at: AwareDatetime


class ScheduleFired(_Ran):
    """A schedule came due, and its plan is to be made."""

    plan_id: str

    @classmethod
    def of(cls, schedule: Schedule, run: ScheduleRun) -> Self:
        """Return the fact about this run."""
        plan_id = run.intended_plan_id
        return cls(schedule_id=schedule.id, name=schedule.name, due_at=run.due_at, plan_id=plan_id)


class ScheduleSkipped(_Ran):
    """A schedule came due, and no plan is made of it: it was seen too late, or the last one is open."""

    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, schedule: Schedule, run: ScheduleRun) -> Self:
        """Return the fact about this run."""
        return cls(schedule_id=schedule.id, name=schedule.name, due_at=run.due_at, reasons=run.reasons)


class ScheduleFailed(Event):
    """No plan could be made of what a schedule asks for. Without `due_at` not even that could be told."""

    schedule_id: str
    name: str
    due_at: AwareDatetime | None
    reasons: tuple[Reason, ...]
