"""What live streams ask of the application."""

from datetime import datetime
from typing import Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.work import Work
from carapulse.live.model import KeptTicket, Stretch


class Tail(Protocol):
    """The log from some place on. Every method blocks for as long as the database takes."""

    def settled(self) -> int | None:
        """Return a place below which nothing can still appear, or None as long as none is known."""
        ...

    def check(self, tenant: str, after: int) -> None:
        """Return if a client can go on after a place; raises EventsGone or PositionUnknown."""
        ...

    def page(self, tenant: str, after: int, until: int) -> Stretch:
        """Return a tenant's first events after a place, not beyond another, which must be settled."""
        ...


class TicketDirectory(Protocol):
    """Knows whose a ticket is: asked before the tenant is known."""

    def find(self, digest: str) -> KeptTicket | None:
        """Return the ticket with this digest, or None."""
        ...


class Tickets(Protocol):
    """The tickets of the caller's tenant, in one transaction."""

    def add(self, ticket: KeptTicket) -> None:
        """Keep a ticket."""
        ...

    def take(self, digest: str, at: datetime) -> bool:
        """Remove a ticket that is good at a moment; False if there is none, or somebody else took it."""
        ...

    def drop_expired(self, at: datetime) -> None:
        """Remove what nobody can use any more."""
        ...


class TicketWork(Work, Protocol):
    """A unit of work that can reach tickets."""

    @property
    def tickets(self) -> Tickets:
        """The tickets within this unit."""
        ...


class TicketPorts(Protocol):
    """What issuing and taking tickets asks of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def ticket_directory(self) -> TicketDirectory:
        """What knows whose a ticket is."""
        ...

    def begin(self, call: Call) -> TicketWork:
        """Open a unit of work for the caller's tenant."""
        ...
