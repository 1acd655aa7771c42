"""What collection needs from the world."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from carapulse.collection.definitions import Definitions
from carapulse.collection.model import Collector, Progress
from carapulse.context.ports import ContextWork
from carapulse.freezes.rules import Calendar
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.spelling import Flag
from carapulse.policy.ports import PolicyEngine
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.model import Name
from carapulse.tools.toolbox import Toolbox


class CollectorFilter(Wanted):
    """Which collectors are wanted, and which page of them."""

    system: Name | None = None
    enabled: Flag | None = None


class Kept(NamedTuple):
    """A collector, how its runs go, and when it is due; one that is switched off never is."""

    collector: Collector
    progress: Progress
    next_at: datetime | None


class Due(NamedTuple):
    """A collector whose time has come, and whose it is."""

    tenant: str
    name: str


class CollectorBook(Protocol):
    """Knows the collectors of every tenant, as the clock sees them."""

    def due(self, at: datetime, how_many: int) -> Sequence[Due]:
        """Return collectors that are due at a moment, by tenants in turn, the most overdue first."""
        ...


class Collectors(Protocol):
    """Where collectors are kept. Every call is within one tenant and one transaction."""

    def named(self, name: str) -> Kept | None:
        """Return the collector of that name, or None."""
        ...

    def lock(self, name: str) -> Kept | None:
        """Return the collector, and keep everybody else from changing it until the transaction ends; or None."""
        ...

    def lock_due(self, name: str, at: datetime) -> Kept | None:
        """Return the collector if it is due and nobody else has it locked, and lock it; else None, without waiting."""
        ...

    def put_off(self, name: str, at: datetime, until: datetime) -> None:
        """Leave alone what is due and can't be read, unless somebody has it locked."""
        ...

    def add(self, kept: Kept) -> None:
        """Keep a new collector; CollectorTaken if the name is another's by now."""
        ...

    def replace(self, kept: Kept) -> None:
        """Keep the collector as it now is."""
        ...

    def delete(self, name: str) -> None:
        """Forget the collector."""
        ...

    def page(self, wanted: CollectorFilter) -> Page[Kept]:
        """Return collectors, by name."""
        ...


class CollectionWork(ContextWork, Protocol):
    """A unit of work that can reach collectors, and the context that they report to."""

    @property
    def collectors(self) -> Collectors:
        """The collectors within this unit."""
        ...


class CollectionPorts(Protocol):
    """Everything that collection asks of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def definitions(self) -> Definitions:
        """Every collector that comes with the program."""
        ...

    @property
    def collector_book(self) -> CollectorBook:
        """What the clock asks for all tenants."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Every action there is."""
        ...

    @property
    def toolbox(self) -> Toolbox:
        """What reads outside systems."""
        ...

    @property
    def policy(self) -> PolicyEngine:
        """What decides whether something may be read."""
        ...

    @property
    def calendar(self) -> Calendar:
        """The freezes and windows, which policy is told of."""
        ...

    @property
    def stopping(self) -> threading.Event:
        """Set when the process is to end."""
        ...

    def begin(self, call: Call) -> CollectionWork:
        """Open a unit of work for the caller's tenant."""
        ...
