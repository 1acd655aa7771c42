"""Every tenant's clients whose sockets a gateway holds, and whose turn it is to tell them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import translated
from carapulse.kernel.errors import CorruptRow
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

    def all(self) -> tuple[Sequence[Held], Sequence[str]]:
        """Return every client, and the connections of those of which another version kept what can't be read here."""
        with translated(), self.engine.connect() as connection:
            rows = connection.execute(_ALL).all()
        clients, unreadable = [], []
        for row in rows:
            try:
                clients.append(read_row(Held, row._asdict(), table="live_connections", row_id=row.id))
            except CorruptRow:  # which the log and the metrics know of by now
                unreadable.append(str(row.id))
        return clients, unreadable

    def hold(self, who: str, seconds: float) -> int | None:
        """Take or keep the turn for some seconds; return how often it was wanted, None if somebody else has it."""
        ((wanted,),) = self.direct.run(_HOLD, me=who, seconds=seconds)
        return None if wanted is None else int(wanted)

    def leave(self, who: str, seen: int | None) -> bool:
        """Give the turn back, provided that it was not wanted since, if that is told."""
        ((is_left,),) = self.direct.run(_LEAVE, me=who, seen=seen)
        return bool(is_left)
