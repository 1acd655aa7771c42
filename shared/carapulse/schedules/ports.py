"""What schedules ask of the application."""

from typing import Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.schedules.model import Schedule
from carapulse.workflows.ports import WorkflowPorts, WorkflowWork


class ScheduleFilter(Wanted):
    """Which schedules are wanted, and which page of them."""

    enabled: bool | None = None


class Schedules(Protocol):
    """Where schedules are kept. Every call is within one tenant and one transaction."""

    def get(self, schedule_id: str) -> Schedule:
        """Return the schedule, or raise ScheduleNotFound."""
        ...

    def lock(self, schedule_id: str) -> Schedule:
        """Return the schedule and keep everybody else from changing it until the transaction ends."""
        ...

    def id_of(self, name: str) -> str | None:
        """Return the id of the schedule of that name, or None."""
        ...

    def add(self, schedule: Schedule) -> None:
        """Keep a new schedule."""
        ...

    def replace(self, schedule: Schedule) -> None:
        """Keep the schedule as it now is."""
        ...

    def delete(self, schedule_id: str) -> None:
        """Forget the schedule."""
        ...

    def page(self, wanted: ScheduleFilter) -> Page[Schedule]:
        """Return schedules, the newest first."""
        ...


class ScheduleWork(WorkflowWork, Protocol):
    """A unit of work that can reach schedules."""

    @property
    def schedules(self) -> Schedules:
        """The schedules within this unit."""
        ...


class SchedulePorts(WorkflowPorts, Protocol):
    """Everything the schedules area asks of the application."""

    def begin(self, call: Call) -> ScheduleWork:
        """Open a unit of work for the caller's tenant."""
        ...
