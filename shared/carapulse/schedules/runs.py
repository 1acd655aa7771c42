"""What came of a schedule each time that it came due. Pure values."""

from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, Field

from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.plans.reasons import Reason

RunStatus = Literal["due", "planned", "skipped", "failed"]

MISSED = Reason(code="missed", detail="nobody looked for longer than it may be caught up")
OPEN = Reason(code="open", detail="the last one is open")
SWITCHED_OFF = Reason(code="switched-off", detail="it was switched off before its plan was made")


class ScheduleRun(Record):
    """One time that a schedule came due. Times that were missed in a row are one."""

    schedule_id: str
    due_at: AwareDatetime = Field(description="the moment that the schedule named")
    at: AwareDatetime = Field(description="when the clock saw it")
    status: RunStatus = "due"
    intended_plan_id: str = Field(description="minted when it came due, so that no repetition plans twice")
    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, schedule_id: str, due_at: datetime, at: datetime) -> Self:
        """Return the run of a schedule that just came due."""
        return cls(schedule_id=schedule_id, due_at=due_at, at=at, intended_plan_id=new_id("plan"))

    @property
    def plan_id(self) -> str | None:
        """The plan that came of it."""
        return self.intended_plan_id if self.status == "planned" else None

    def planned(self) -> Self:
        """Return this run with its plan made."""
        return self.model_copy(update={"status": "planned"})

    def skipped(self, why: Reason) -> Self:
        """Return this run as one of which nothing is to come."""
        return self.model_copy(update={"status": "skipped", "reasons": (why,)})

    def failed(self, reasons: tuple[Reason, ...]) -> Self:
        """Return this run with the reasons why there is no plan."""
        return self.model_copy(update={"status": "failed", "reasons": reasons})
