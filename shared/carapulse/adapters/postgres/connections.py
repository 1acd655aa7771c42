"""Every tenant's clients whose sockets a gateway holds, and whose turn it is to tell them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import translated
from carapulse.live.held import Held
from carapulse.rows import read_row

_ALL = text(f"SELECT {', '.join(Held.model_fields)} FROM connections_to_tell()")  # noqa: S608 - our own names
_TENANT = "SELECT connection_tenant(CAST(:wanted AS text))"
_HOLD = "SELECT hold_pusher(CAST(:me AS text), CAST(:seconds AS double precision))"
_LEAVE = "SELECT leave_pusher(CAST(:me AS text), CAST(:seen AS bigint))"


@dataclass(frozen=True, slots=True)
class PostgresConnectionBook:
    """Asks the functions that look over the walls between tenants."""

    engine: Engine
    direct: Direct

    def tenant_of(self, connection_id: str) -> str | None:
        """Return whose client it is, or None."""
        ((tenant,),) = self.direct.run(_TENANT, wanted=connection_id)
        return None if tenant is None else str(tenant)

    def all(self) -> Sequence[Held]:
        """Return every client."""
        with translated(), self.engine.connect() as connection:
            rows = connection.execute(_ALL).all()
        return [read_row(Held, row._asdict(), table="live_connections", row_id=row.id) for row in rows]

    def hold(self, who: str, seconds: float) -> int | None:
        """Take or keep the turn for some seconds; return how often it was wanted, None if somebody else has it."""
        ((wanted,),) = self.direct.run(_HOLD, me=who, seconds=seconds)
        return None if wanted is None else int(wanted)

    def leave(self, who: str, seen: int | None) -> bool:
        """Give the turn back, provided that it was not wanted since, if that is told."""
        ((is_left,),) = self.direct.run(_LEAVE, me=who, seen=seen)
        return bool(is_left)
