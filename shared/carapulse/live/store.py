"""Tickets in Postgres, where all processes share them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from carapulse.live.model import KeptTicket
from carapulse.live.tables import live_tickets


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
