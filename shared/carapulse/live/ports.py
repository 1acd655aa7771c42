"""What live streams ask of the application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from carapulse.audit.ports import EvidenceLog
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.work import Work
from carapulse.live.held import Held
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

    @property
    def evidence(self) -> EvidenceLog:
        """The log within this unit."""
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


class Gateway(Protocol):
    """What holds the sockets of clients."""

    def say(self, connection_id: str, text: str) -> None:
        """Send a message; raises ConnectionGone, ConnectionBusy or EventTooLarge."""
        ...

    def drop(self, connection_id: str) -> None:
        """Close a socket; one that is not there is closed."""
        ...

    def wake(self) -> None:
        """Let somebody tell clients, where nobody does."""
        ...


class Connections(Protocol):
    """The clients of one tenant whose sockets a gateway holds, in one transaction."""

    def want(self) -> bool:
        """Keep whoever tells clients from stopping once this is committed; True if nobody tells them now.

        Until then, no other connection is made in the installation.
        """
        ...

    def count(self) -> int:
        """Return how many there are of the tenant."""
        ...

    def count_all(self) -> int:
        """Return how many there are in the installation."""
        ...

    def add(self, held: Held) -> None:
        """Keep a client that has just come."""
        ...

    def find(self, connection_id: str) -> Held | None:
        """Return a client, locked, or None."""
        ...

    def note_heard(self, held: Held) -> None:
        """Keep what a client said."""
        ...

    def note_told(self, held: Held) -> None:
        """Keep what a client was told."""
        ...

    def drop(self, connection_id: str) -> None:
        """Forget a client."""
        ...


class ConnectionBook(Protocol):
    """The clients of every tenant whose sockets a gateway holds, and whose turn it is to tell them."""

    def tenant_of(self, connection_id: str) -> str | None:
        """Return whose client it is, or None."""
        ...

    def all(self) -> tuple[Sequence[Held], Sequence[str]]:
        """Return every client, and the connections of those of which another version kept what can't be read here."""
        ...

    def hold(self, who: str, seconds: float) -> int | None:
        """Take or keep the turn for some seconds; return how often it was wanted, None if somebody else has it."""
        ...

    def leave(self, who: str, seen: int | None) -> bool:
        """Give the turn back, provided that it was not wanted since, if that is told."""
        ...


class ConnectionWork(Work, Protocol):
    """A unit of work that can reach clients."""

    @property
    def connections(self) -> Connections:
        """The clients within this unit."""
        ...


class Room(Protocol):
    """How many clients there may be."""

    @property
    def live_clients(self) -> int:
        """All in all."""
        ...

    @property
    def live_clients_of_tenant(self) -> int:
        """Of one tenant."""
        ...


class HeldPorts(Protocol):
    """What clients that a gateway holds ask of the application."""

    @property
    def settings(self) -> Room:
        """What the installation chose."""
        ...

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def tail(self) -> Tail:
        """The log."""
        ...

    @property
    def gateway(self) -> Gateway:
        """What holds the sockets."""
        ...

    @property
    def connection_book(self) -> ConnectionBook:
        """What knows every client."""
        ...

    def begin(self, call: Call) -> ConnectionWork:
        """Open a unit of work for the caller's tenant."""
        ...
