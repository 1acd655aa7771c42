"""What is kept by which sealing key, over all tenants: counts, and nothing of what is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from carapulse.adapters.postgres.door import Door
from carapulse.adapters.postgres.engine import TIMEOUTS, connect, translated
from carapulse.resealing.model import Kept

_COUNT: Final = text("SELECT whose AS tenant, place, key, how_many FROM kept_by_key()")
_TIMEOUTS: Final = TIMEOUTS | {"statement_timeout": "270s"}  # it looks at every row that is sealed
_PATIENCE_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class PostgresSealingBook:
    """Asks the one function that counts over the walls, on a connection that waits for longer than others do."""

    where: str | Door

    def kept(self) -> Sequence[Kept]:
        """Return the counts as they are at this moment."""
        engine = connect(self.where, pool_size=1, timeouts=_TIMEOUTS, patience_s=_PATIENCE_S)
        try:
            with translated(), engine.connect() as connection:
                return [Kept.model_validate(dict(row)) for row in connection.execute(_COUNT).mappings()]
        finally:
            engine.dispose()
