"""What is kept by which sealing key, over all tenants: counts, and nothing of what is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.engine import translated
from carapulse.resealing.model import Kept

_PATIENCE: Final = text("SET LOCAL statement_timeout = '300s'")  # it looks at every row that is sealed
_COUNT: Final = text("SELECT whose AS tenant, place, key, how_many FROM kept_by_key()")


@dataclass(frozen=True, slots=True)
class PostgresSealingBook:
    """Asks the one function that counts over the walls."""

    engine: Engine

    def kept(self) -> Sequence[Kept]:
        """Return the counts as they are at this moment."""
        with translated(), self.engine.begin() as connection:
            connection.execute(_PATIENCE)
            return [Kept.model_validate(dict(row)) for row in connection.execute(_COUNT).mappings()]
