"""Work that the intake leaves for later, so that whoever reports gets an answer at once."""

from typing import ClassVar

from carapulse.kernel.message import Message


class SortAlerts(Message):
    """Look into what a source sent: which alerts are new, which go on, which are over."""

    queue: ClassVar[str] = "planning"
    source_id: str


class PlanAlert(Message):
    """Make the plan that an alert's route asks for."""

    queue: ClassVar[str] = "planning"
    alert_id: str


class ClosePlanOfAlert(Message):
    """Close the plan of an alert that is over, unless somebody has started it."""

    queue: ClassVar[str] = "planning"
    alert_id: str
