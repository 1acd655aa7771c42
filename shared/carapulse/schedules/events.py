"""What happens to schedules. Each is a fact in the schedule's own stream, named as its id."""

from typing import Self

from carapulse.kernel.canonical import digest
from carapulse.kernel.event import Event
from carapulse.schedules.model import Schedule


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
