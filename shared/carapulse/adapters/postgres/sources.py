"""Whose a source is, asked before any tenant is known."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.engine import translated
from carapulse.intake.ports import Sender
from carapulse.rows import read_row

_OWNER = text("SELECT tenant, name FROM owner_of_source(:source)")


@dataclass(frozen=True, slots=True)
class PostgresSourceDirectory:
    """Asks the one function that sees every tenant's sources, and tells their owner and name alone."""

    engine: Engine

    def find(self, source_id: str) -> Sender | None:
        """Return the owner of a source that may report, or None."""
        with translated(), self.engine.connect() as connection:
            row = connection.execute(_OWNER, {"source": source_id}).mappings().one_or_none()
        return None if row is None else read_row(Sender, dict(row), table="sources", row_id=source_id)
