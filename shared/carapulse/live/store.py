"""Tickets, and clients whose sockets a gateway holds, in Postgres, where all processes share them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text, update

from carapulse.live.held import Held
from carapulse.live.model import KeptTicket
from carapulse.live.tables import live_connections, live_tickets
from carapulse.rows import read_row

_HEARD: Final = frozenset({"ask", "turn", "since", "pings", "ending", "heard_at", "heard"})
_TOLD: Final = frozenset({"told", "opened", "pongs", "spoke_at", "refused_at"})
_DOCUMENTS: Final = frozenset({"principal", "ask", "ending"})


@dataclass(frozen=True, slots=True)
class PostgresTickets:
    """The tickets of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def add(self, ticket: KeptTicket) -> None:
        """Keep a ticket."""
        row = {**dict(ticket), "principal": ticket.principal.model_dump(mode="json")}
        self.connection.execute(insert(live_tickets).values(tenant=self.tenant, **row))

    def take(self, digest: str, at: datetime) -> bool:
        """Remove a ticket that is good at a moment; False if there is none, or somebody else took it."""
        mine = (live_tickets.c.tenant == self.tenant, live_tickets.c.digest == digest)
        query = delete(live_tickets).where(*mine, live_tickets.c.expires_at > at)
        return self.connection.execute(query).rowcount == 1

    def drop_expired(self, at: datetime) -> None:
        """Remove what nobody can use any more."""
        query = delete(live_tickets).where(live_tickets.c.tenant == self.tenant, live_tickets.c.expires_at <= at)
        self.connection.execute(query)


@dataclass(frozen=True, slots=True)
class PostgresConnections:
    """The clients of one tenant whose sockets a gateway holds, within one transaction."""

    connection: Connection
    tenant: str

    def want(self) -> bool:
        """Keep whoever tells clients from stopping once this is committed; True if nobody tells them now."""
        is_nobody_there: bool = self.connection.execute(text("SELECT pusher_wanted()")).scalar_one()
        return is_nobody_there

    def count(self) -> int:
        """Return how many there are of the tenant."""
        mine = select(func.count()).where(live_connections.c.tenant == self.tenant)
        number: int = self.connection.execute(mine).scalar_one()
        return number

    def count_all(self) -> int:
        """Return how many there are in the installation."""
        number: int = self.connection.execute(text("SELECT connections_in_all()")).scalar_one()
        return number

    def add(self, held: Held) -> None:
        """Keep a client that has just come."""
        self.connection.execute(insert(live_connections).values(tenant=self.tenant, **_row(held)))

    def find(self, connection_id: str) -> Held | None:
        """Return a client, locked, or None."""
        query = select(*(live_connections.c[name] for name in Held.model_fields)).where(*self._is(connection_id))
        row = self.connection.execute(query.with_for_update()).one_or_none()
        return None if row is None else read_row(Held, row._asdict(), table="live_connections", row_id=connection_id)

    def note_heard(self, held: Held) -> None:
        """Keep what a client said."""
        self._note(held, _HEARD)

    def note_told(self, held: Held) -> None:
        """Keep what a client was told."""
        self._note(held, _TOLD)

    def drop(self, connection_id: str) -> None:
        """Forget a client."""
        self.connection.execute(delete(live_connections).where(*self._is(connection_id)))

    def _note(self, held: Held, names: frozenset[str]) -> None:
        changed = {name: value for name, value in _row(held).items() if name in names}
        self.connection.execute(update(live_connections).where(*self._is(held.id)).values(**changed))

    def _is(self, connection_id: str) -> tuple[ColumnElement[bool], ...]:
        return (live_connections.c.tenant == self.tenant, live_connections.c.id == connection_id)


def _row(held: Held) -> dict[str, object]:
    documents = held.model_dump(mode="json", include=set(_DOCUMENTS))
    return {**held.model_dump(exclude=set(_DOCUMENTS)), **documents}
