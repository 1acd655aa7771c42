"""The collectors of every tenant, as the clock sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carapulse.adapters.postgres.direct import Direct
from carapulse.collection.ports import Due

_DUE = "SELECT tenant, name FROM collectors_due(CAST(:at AS timestamptz), CAST(:how_many AS integer))"


@dataclass(frozen=True)
class PostgresCollectorBook:
    """Asks in a transaction of its own, across tenants."""

    direct: Direct

    def due(self, at: datetime, how_many: int) -> Sequence[Due]:
        """Return collectors that are due at a moment, by tenants in turn, the most overdue first."""
        return [Due(*row) for row in self.direct.run(_DUE, at=at, how_many=how_many)]
