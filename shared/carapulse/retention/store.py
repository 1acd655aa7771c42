"""Partitions in Postgres: functions of the database make and drop them, because the program may not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from carapulse.retention.model import Dropped

_MAKE = text("SELECT make_partitions()")
_DROP_STEPS = text("SELECT dropped, blobs FROM drop_old_steps(:of_table, :before)")
_DROP_KEYS = text("SELECT drop_idempotency_keys(:kept)")
_DROP_LETTERS = text("SELECT drop_dead_letters(:before)")
_DROP_DELIVERIES = text("SELECT drop_channel_deliveries(:before)")

_DROP_CHAT = text("SELECT drop_old_chat()")
_DROP_RATES = text("SELECT drop_idle_rates()")


@dataclass(frozen=True, slots=True)
class PostgresRoom:
    """The partitions of everybody's tables, within one transaction."""

    connection: Connection

    def make_partitions(self) -> Sequence[str]:
        """Make what will be needed soon, and return the tables with rows that no partition was made for in time."""
        return self.connection.execute(_MAKE).scalars().all()

    def drop_old_steps(self, table: str, before: datetime) -> Sequence[Dropped]:
        """Drop the partitions of which every execution was over before a moment."""
        rows = self.connection.execute(_DROP_STEPS, {"of_table": table, "before": before})
        return [Dropped(partition=row.dropped, blobs=tuple(row.blobs)) for row in rows]

    def drop_dead_letters(self, before: datetime) -> int:
        """Delete messages that were given up before a moment, some thousands at most, and return how many."""
        return int(self.connection.execute(_DROP_LETTERS, {"before": before}).scalar_one())

    def drop_channel_deliveries(self, before: datetime) -> int:
        """Delete messages to channels that were done with before a moment, some thousands at most."""
        return int(self.connection.execute(_DROP_DELIVERIES, {"before": before}).scalar_one())

    def drop_idle_rates(self) -> int:
        """Delete counts of those who have not asked for minutes, some thousands at most, and return how many."""
        return int(self.connection.execute(_DROP_RATES).scalar_one())

    def drop_old_chat(self) -> int:
        """Delete links, codes and signatures of chats that are over, some thousands at most, and return how many."""
        return int(self.connection.execute(_DROP_CHAT).scalar_one())

    def drop_idempotency_keys(self, kept: timedelta) -> int:
        """Delete keys that were given to a request so long ago, some thousands at most, and return how many."""
        return int(self.connection.execute(_DROP_KEYS, {"kept": kept}).scalar_one())
