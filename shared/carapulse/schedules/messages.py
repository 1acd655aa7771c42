"""Work that the clock leaves for later: it only looks, and whoever plans may take their time."""

from typing import ClassVar

from pydantic import AwareDatetime

from carapulse.kernel.message import Message


class PlanSchedule(Message):
    """Make the plan that a schedule asks for, which came due."""

    queue: ClassVar[str] = "planning"
    schedule_id: str
    due_at: AwareDatetime
