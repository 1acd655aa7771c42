"""What is shown of schedules."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from carapulse.kernel.record import Record
from carapulse.plans.reasons import Reason
from carapulse.schedules.model import Schedule, ScheduleTerms
from carapulse.schedules.runs import RunStatus, ScheduleRun


class ScheduleView(Schedule):
    """A schedule, and the next five moments at which it comes due."""

    next_runs: tuple[AwareDatetime, ...]

    @classmethod
    def of_schedule(cls, schedule: Schedule, at: datetime) -> Self:
        """Return a schedule as it is shown at a moment."""
        return cls(**dict(schedule), next_runs=schedule.due_after(at))


class ScheduleRunView(Record):
    """One time that a schedule came due, and what came of it."""

    due_at: AwareDatetime
    at: AwareDatetime
    status: RunStatus
    plan_id: str | None
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, run: ScheduleRun) -> Self:
        """Return a run as it is shown."""
        return cls(due_at=run.due_at, at=run.at, status=run.status, plan_id=run.plan_id, reasons=run.reasons)


class SchedulePreview(Record):
    """When a schedule would come due, if there were one."""

    cron: str
    timezone: str
    next_runs: tuple[AwareDatetime, ...]

    @classmethod
    def of(cls, terms: ScheduleTerms, at: datetime) -> Self:
        """Return when these terms come due; also those that are switched off, as they would be on."""
        on = terms.model_copy(update={"enabled": True})
        return cls(cron=terms.cron, timezone=terms.timezone, next_runs=on.due_after(at))
