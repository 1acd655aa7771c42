"""What workflows ask of the application."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.record import Record
from carapulse.plans.ports import PlanPorts, PlanWork
from carapulse.workflows.model import OwnVersion

if TYPE_CHECKING:
    from carapulse.workflows.shelf import Shelf


class WorkflowFilter(Wanted):
    """Which page of the workflows is wanted."""


class VersionFilter(Wanted):
    """Which page of a workflow's versions is wanted."""


class OwnVersions(Protocol):
    """Where a tenant's own versions are kept. Every call is within one tenant and one transaction."""

    def line_up(self, name: str) -> None:
        """Let nobody else add or retire versions of this name until the transaction ends."""
        ...

    def newest(self, name: str) -> OwnVersion | None:
        """Return the newest version that was not retired, or None."""
        ...

    def find(self, name: str, version: int) -> OwnVersion | None:
        """Return one version, also a retired one, or None."""
        ...

    def highest(self, name: str) -> int:
        """Return the highest number that was ever given, 0 if none was."""
        ...

    def add(self, own: OwnVersion) -> None:
        """Keep a new version."""
        ...

    def retire(self, own: OwnVersion) -> None:
        """Keep that a version is retired."""
        ...

    def current(self, after: str, limit: int) -> Sequence[OwnVersion]:
        """Return the newest version that was not retired of each name after one, by name."""
        ...

    def page(self, name: str, wanted: VersionFilter) -> Page[OwnVersion]:
        """Return the versions of a name, the newest first."""
        ...


class Use(Record):
    """A schedule that starts a workflow, and the version if it asks for one."""

    schedule_id: str
    version: int | None


class Uses(Protocol):
    """Knows who starts workflows by themselves."""

    def of_workflow(self, name: str) -> Sequence[Use]:
        """Return every schedule that starts it."""
        ...


class WorkflowWork(PlanWork, Protocol):
    """A unit of work that can reach a tenant's own versions."""

    @property
    def own_versions(self) -> OwnVersions:
        """The tenant's own versions within this unit."""
        ...

    @property
    def workflow_uses(self) -> Uses:
        """Who starts workflows by themselves, within this unit."""
        ...


class WorkflowPorts(PlanPorts, Protocol):
    """Everything the workflows area asks of the application."""

    @property
    def workflows(self) -> "Shelf":
        """All workflows."""
        ...

    def begin(self, call: Call) -> WorkflowWork:
        """Open a unit of work for the caller's tenant."""
        ...
