"""What work costs the database, as counts that no noise of a machine changes. The server counts, not the driver."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket

_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)")
_CONTROL = re.compile(r"\s*(begin|start transaction|commit|rollback|savepoint|release)\b", re.IGNORECASE)
_QUEUE = re.compile(
    r"\s*(select .* from (take_messages|next_message_due)\b|select (pg_notify|extract\(epoch from next_message_due)\(|notify\b"
    r"|(insert into|update|delete from) messages\b)",
    re.IGNORECASE,
)
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = :name"
_FLUSHES = "SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal' AND backend_type = 'client backend'"
_END = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"


@dataclass(frozen=True)
class Counts:
    """What the server did. `statements` are those that are neither the queue's own nor the control of a transaction."""

    statements: float
    queue: float
    control: float
    commits: float
    flushes: float

    @property
    def with_queue(self) -> float:
        """The statements, and the queue's own."""
        return self.statements + self.queue

    def minus(self, other: "Counts") -> "Counts":
        """Return what this has more."""
        return Counts(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))

    def for_each(self, many: int) -> "Counts":
        """Return one share of it."""
        return Counts(*(getattr(self, each.name) / many for each in fields(self)))


@dataclass(frozen=True)
class Counter:
    """Counts what a database is asked for; the server must be durable, or it flushes nothing."""

    server: EmbeddedPostgres
    database: str

    def counted(self, work: Callable[[], None]) -> Counts:
        """Return what some work has cost. Every connection ends with it: only then have its counts arrived."""
        with self._looking() as connection:
            connection.run(f"ALTER DATABASE {self.database} SET log_statement = 'all'")
            connection.run(_END, name=self.database)
            log = Path(connection.run("SHOW data_directory")[0][0]) / "server.log"
            before, written = self._totals(connection), log.stat().st_size
            work()
            connection.run(_END, name=self.database)
            after = self._totals(connection)
        said = _STATEMENT.findall(log.read_bytes()[written:].decode(errors="replace"))
        control = sum(bool(_CONTROL.match(each)) for each in said)
        queue = sum(bool(_QUEUE.search(each)) for each in said)
        return Counts(len(said) - control - queue, queue, control, after[0] - before[0], after[1] - before[1])

    def _totals(self, connection: Any) -> tuple[int, int]:
        ((commits,),) = connection.run(_COMMITS, name=self.database)
        ((flushes,),) = connection.run(_FLUSHES)
        return int(commits), int(flushes)

    @contextmanager
    def _looking(self) -> Iterator[Any]:
        connection = over_socket(self.server.socket)
        try:
            # Whoever cleans up on his own commits as well.
            connection.run("ALTER SYSTEM SET autovacuum = off")
            connection.run("SELECT pg_reload_conf()")
            yield connection
        finally:
            connection.run("ALTER SYSTEM RESET autovacuum")
            connection.run("SELECT pg_reload_conf()")
            connection.close()
