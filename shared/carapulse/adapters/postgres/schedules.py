"""The schedules of every tenant, as the clock looks after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carapulse.adapters.postgres.direct import Direct
from carapulse.schedules.ports import DueSchedule

_DUE = "SELECT tenant, id, name FROM schedules_due(CAST(:at AS timestamptz), CAST(:how_many AS integer))"


@dataclass(frozen=True)
class PostgresScheduleBook:
    """Asks in a transaction of its own, across tenants."""

    direct: Direct

    def due(self, at: datetime, how_many: int) -> Sequence[DueSchedule]:
        """Return schedules whose moment has come, by tenants in turn, those that have waited longest first."""
        rows = self.direct.run(_DUE, at=at, how_many=how_many)
        return [DueSchedule(tenant=tenant, id=schedule_id, name=name) for tenant, schedule_id, name in rows]
