"""Whose a ticket is, asked before any tenant is known."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.engine import translated
from carapulse.live.model import KeptTicket
from carapulse.rows import read_row

_OF = text("SELECT id, digest, principal, expires_at FROM ticket_of(:digest)")


@dataclass(frozen=True, slots=True)
class PostgresTicketDirectory:
    """Asks the one function that sees every tenant's tickets."""

    engine: Engine

    def find(self, digest: str) -> KeptTicket | None:
        """Return the ticket with this digest, or None."""
        with translated(), self.engine.connect() as connection:
            row = connection.execute(_OF, {"digest": digest}).mappings().one_or_none()
        return None if row is None else read_row(KeptTicket, dict(row), table="live_tickets", row_id=row["id"])
