"""What schedules ask of the application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.record import Record
from carapulse.kernel.spelling import Flag
from carapulse.schedules.model import Schedule
from carapulse.schedules.runs import ScheduleRun
from carapulse.workflows.ports import WorkflowPorts, WorkflowWork


class ScheduleFilter(Wanted):
    """Which schedules are wanted, and which page of them."""

    enabled: Flag | None = None


class RunFilter(Wanted):
    """Which page of a schedule's runs is wanted."""


class DueSchedule(Record):
    """A schedule of some tenant whose moment has come."""

    tenant: str
    id: str
    name: str


class ScheduleBook(Protocol):
    """The schedules of every tenant, as the clock looks after them."""

    def due(self, at: datetime, how_many: int) -> Sequence[DueSchedule]:
        """Return schedules whose moment has come, by tenants in turn, those that have waited longest first."""
        ...


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

    def add(self, schedule: Schedule, next_at: datetime | None) -> None:
        """Keep a new schedule, and when it comes due first."""
        ...

    def replace(self, schedule: Schedule) -> None:
        """Keep the schedule on its new terms; when it comes due next, and what came of it, stay as they are."""
        ...

    def reschedule(self, schedule_id: str, next_at: datetime | None) -> None:
        """Keep when a schedule comes due next."""
        ...

    def due(self, schedule_id: str, at: datetime) -> tuple[Schedule, datetime | None] | None:
        """Return a schedule whose moment has come, locked, and that moment; None if it hasn't or somebody is at it.

        Without a moment it was not noted yet when it comes due.
        """
        ...

    def came_to(self, schedule: Schedule) -> None:
        """Keep what last came of a schedule."""
        ...

    def put_off(self, schedule_id: str, at: datetime, until: datetime, standing: dict[str, Any]) -> bool:
        """Leave alone what came due and can't be read, and say so in it; False if somebody else did."""
        ...

    def delete(self, schedule_id: str) -> None:
        """Forget the schedule."""
        ...

    def page(self, wanted: ScheduleFilter) -> Page[Schedule]:
        """Return schedules, the newest first."""
        ...


class ScheduleRuns(Protocol):
    """Where the latest runs of schedules are kept."""

    def add(self, run: ScheduleRun) -> bool:
        """Keep a run, and let those go that are long over; False if there is one of that moment."""
        ...

    def find(self, schedule_id: str, due_at: datetime) -> ScheduleRun | None:
        """Return a run, or None."""
        ...

    def is_pending(self, schedule_id: str) -> bool:
        """Say whether the plan of any run is still to be made."""
        ...

    def replace(self, run: ScheduleRun) -> None:
        """Keep the run as it now is."""
        ...

    def page(self, schedule_id: str, wanted: RunFilter) -> Page[ScheduleRun]:
        """Return the runs of a schedule, the latest first."""
        ...


class ScheduleWork(WorkflowWork, Protocol):
    """A unit of work that can reach schedules."""

    @property
    def schedules(self) -> Schedules:
        """The schedules within this unit."""
        ...

    @property
    def schedule_runs(self) -> ScheduleRuns:
        """What came of them, within this unit."""
        ...


class SchedulePorts(WorkflowPorts, Protocol):
    """Everything the schedules area asks of the application."""

    def begin(self, call: Call) -> ScheduleWork:
        """Open a unit of work for the caller's tenant."""
        ...


class FiringPorts(Protocol):
    """What the clock asks of the application to let schedules come due."""

    @property
    def schedule_book(self) -> ScheduleBook:
        """The schedules of every tenant."""
        ...

    def begin(self, call: Call) -> ScheduleWork:
        """Open a unit of work for the caller's tenant."""
        ...
