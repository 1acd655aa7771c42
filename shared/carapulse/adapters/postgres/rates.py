"""What was asked in the present window, counted in Postgres: one statement for a claim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import to_json

from carapulse.adapters.postgres.direct import Direct
from carapulse.rates.model import WINDOW_S, Claim, Grant

_TAKE = (
    "SELECT got, used, of_slot, left_s FROM take_rates(:tenant, :of_class, CAST(:claims AS jsonb),"
    " CAST(:window AS integer), CAST(:at AS timestamptz))"
)


@dataclass(frozen=True, slots=True)
class PostgresRates:
    """Counts by the database's clock, which all processes share, unless it is given another."""

    direct: Direct
    now: Callable[[], datetime] | None = None

    def take(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Return what each claim got; nothing for a source that nobody registered."""
        first = claims[0].key
        given = [
            {"kind": each.key.kind, "name": each.key.name, "wanted": each.wanted, "most": each.most} for each in claims
        ]
        rows = self.direct.run(
            _TAKE,
            tenant=first.tenant,
            of_class=str(first.rate_class),
            claims=to_json(given).decode(),
            window=WINDOW_S,
            at=None if self.now is None else self.now(),
        )
        return [Grant(granted=row[0], taken=row[1], slot=row[2], left_s=row[3]) for row in rows]
