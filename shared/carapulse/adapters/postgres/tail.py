"""The end of the log, read in the order of its one sequence and never past a transaction that is still open."""

import threading
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import bind_tenant, translated
from carapulse.live.errors import EventsGone, PositionUnknown
from carapulse.live.horizon import Horizon
from carapulse.live.model import Frame, Stretch, cloud_event

_NEWEST = "SELECT coalesce(pg_sequence_last_value('events_position_seq'), 0)"
_OLDEST_OPEN = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
# The snapshot is taken before the number is given: a transaction that is in neither is impossible.
_MARK = f"SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint), ({_OLDEST_OPEN})"
_GONE = text(
    "SELECT max(a.last) FROM event_archives a WHERE a.tenant = :tenant AND a.last > :after"
    " AND NOT EXISTS (SELECT FROM events e WHERE e.tenant = a.tenant AND e.position = a.last)"
)
_PAGE = text(
    "SELECT position, id, type, stream, at, actor, trace, CAST(body AS text) AS body FROM events"
    " WHERE tenant = :tenant AND position > :after AND position <= :until ORDER BY position LIMIT :most"
)
_MOST = 200  # events in a page
_WINDOW = 20_000  # positions that one statement may walk over, whoever's they are


@dataclass
class PostgresTail:
    """Reads the log of one tenant at a time, behind its wall; what is settled is the same for all."""

    engine: Engine
    direct: Direct
    _horizon: Horizon = field(default_factory=Horizon)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settled(self) -> int | None:
        """Return a place below which nothing can still appear, or None as long as none is known."""
        with self._lock:
            newest = self.newest()
            if self._horizon.needs_mark(newest):
                ((mark, oldest),) = self.direct.run(_MARK)
                self._horizon.mark(newest, mark)
                self._horizon.settle(oldest)
            elif self._horizon.is_open:
                ((oldest,),) = self.direct.run(_OLDEST_OPEN)
                self._horizon.settle(oldest)
            return self._horizon.settled

    def check(self, tenant: str, after: int) -> None:
        """Return if a client can go on after a place; raises EventsGone or PositionUnknown."""
        if after > self.newest():
            raise PositionUnknown("the log has not come to this place yet", after=after)
        with translated(), self.engine.connect() as connection:
            bind_tenant(connection, tenant)
            self._refuse_gone(connection, tenant, after)

    def page(self, tenant: str, after: int, until: int) -> Stretch:
        """Return a tenant's first events after a place, not beyond another; raises EventsGone."""
        until = min(until, after + _WINDOW)
        where = {"tenant": tenant, "after": after, "until": until, "most": _MOST}
        with translated(), self.engine.connect() as connection:
            bind_tenant(connection, tenant)
            rows = connection.execute(_PAGE, where).mappings().all()
            self._refuse_gone(connection, tenant, after)
        frames = tuple(_frame(dict(row), tenant) for row in rows)
        return Stretch(frames, until if len(frames) < _MOST else frames[-1].position)

    def newest(self) -> int:
        """Return the last place that was given to an event, which may not be there yet."""
        ((newest,),) = self.direct.run(_NEWEST)
        return int(newest)

    def _refuse_gone(self, connection: Connection, tenant: str, after: int) -> None:
        gone = connection.execute(_GONE, {"tenant": tenant, "after": after}).scalar_one()
        if gone is not None:
            raise EventsGone("events after this place left the log", after=after, retained_from=gone)


def _frame(row: dict[str, Any], tenant: str) -> Frame:
    envelope = cloud_event(row, tenant).model_dump_json(exclude_none=True)
    # Postgres spells JSON without line breaks, and spelling it again would only cost time.
    return Frame(row["position"], row["type"], row["stream"], f'{envelope[:-1]},"data":{row["body"]}}}')
