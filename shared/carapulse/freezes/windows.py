"""Maintenance windows: the hours of a week in which alone an environment may be changed. Pure values."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from carapulse.freezes.errors import WindowIsLifted
from carapulse.freezes.model import EVERYWHERE, Where
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.names import Line, Slug
from carapulse.kernel.record import Record
from carapulse.kernel.times import TimeOfDay, TimeZone, minute_of_day

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EndOfDay = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Weekly(Record):
    """Hours that come back each week. An end that isn't after the start is on the next day; the end is outside."""

    days: tuple[Day, ...] = Field(min_length=1, max_length=7, description="the days on which it opens")
    start: TimeOfDay
    end: EndOfDay

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError("hours that end when they start are never open; a whole day ends at 24:00")
        return self

    def hold(self, local: datetime) -> bool:
        """Say whether these are the hours that the clocks of the place show."""
        start, end = minute_of_day(self.start), minute_of_day(self.end)
        minute = local.hour * 60 + local.minute
        opened_today = _day(local) in self.days and start <= minute
        if start < end:
            return opened_today and minute < end
        opened_yesterday = _day(local - timedelta(days=1)) in self.days
        return opened_today or (opened_yesterday and minute < end)


class WindowTerms(Record):
    """When changes are allowed. An environment with windows is closed outside of them."""

    name: Slug
    environments: tuple[Where, ...] = Field(min_length=1, max_length=50, description="`*` is every environment")
    timezone: TimeZone = "UTC"
    weekly: tuple[Weekly, ...] = Field(min_length=1, max_length=50)
    description: Line | None = None


class Window(WindowTerms):
    """A maintenance window as it is kept."""

    id: str
    created_by: str
    created_at: AwareDatetime
    updated_by: str
    updated_at: AwareDatetime
    lifted_at: AwareDatetime | None = None
    lifted_by: str | None = None
    lifted_because: str | None = None

    @classmethod
    def of(cls, terms: WindowTerms, call: Call) -> Self:
        """Return a new window; whoever asks is its author."""
        who, at = call.actor.id, call.at
        return cls(**dict(terms), id=new_id("window"), created_by=who, created_at=at, updated_by=who, updated_at=at)

    @property
    def terms(self) -> WindowTerms:
        """What people may change."""
        return WindowTerms(**{name: getattr(self, name) for name in WindowTerms.model_fields})

    def changed(self, terms: WindowTerms, call: Call) -> Self:
        """Return this window on other terms, or raise WindowIsLifted."""
        self._must_stand()
        return self.model_copy(update={**dict(terms), "updated_by": call.actor.id, "updated_at": call.at})

    def lifted(self, because: str, call: Call) -> Self:
        """Return this window as lifted, or raise WindowIsLifted if it was already."""
        self._must_stand()
        return self.model_copy(update={"lifted_at": call.at, "lifted_by": call.actor.id, "lifted_because": because})

    def is_about(self, environment: str) -> bool:
        """Say whether an environment has this window."""
        return self.lifted_at is None and (EVERYWHERE in self.environments or environment in self.environments)

    def is_open(self, at: datetime) -> bool:
        """Say whether changes are allowed at a moment, as the clocks of the place show it."""
        local = at.astimezone(ZoneInfo(self.timezone))
        return any(hours.hold(local) for hours in self.weekly)

    def _must_stand(self) -> None:
        if self.lifted_at is not None:
            raise WindowIsLifted("the window was lifted", window_id=self.id, lifted_at=self.lifted_at)


def _day(local: datetime) -> Day:
    return _DAYS[local.weekday()]
