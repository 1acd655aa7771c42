"""What the requester wants a change kept to."""

from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from carapulse.kernel.record import Record
from carapulse.kernel.times import TimeOfDay, TimeZone, minute_of_day

Environment = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*$")]


class MaintenanceWindow(Record):
    """A daily window in a time zone; it may cross midnight, and its end is outside."""

    start: TimeOfDay
    end: TimeOfDay
    timezone: TimeZone = "UTC"

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError("a window that ends when it starts is never open")
        return self

    @property
    def start_minute(self) -> int:
        """The minute of the day at which it opens."""
        return minute_of_day(self.start)

    @property
    def end_minute(self) -> int:
        """The minute of the day at which it is closed again."""
        return minute_of_day(self.end)

    def minute_at(self, at: datetime) -> int:
        """Return the minute of the day that a moment is in the window's own time zone."""
        local = at.astimezone(ZoneInfo(self.timezone))
        return local.hour * 60 + local.minute


class Constraints(Record):
    """Limits of one plan. They are part of its digest and are held again before every step that changes something."""

    allowed_environments: tuple[Environment, ...] | None = Field(default=None, min_length=1, max_length=50)
    max_targets: int | None = Field(
        default=None, ge=1, le=10_000, strict=True, description="null leaves the installation's own limit"
    )
    maintenance_window: MaintenanceWindow | None = None
    deadline_s: int = Field(default=3600, ge=1, le=604_800, strict=True, description="seconds for the whole run")
    max_concurrency: int = Field(
        default=1, ge=1, le=50, strict=True, description="how many steps of one stage may run at once; 1: one by one"
    )
    on_failure: Literal["undo", "hold"] = Field(
        default="undo", description="hold: wait for a person before anything is undone"
    )
