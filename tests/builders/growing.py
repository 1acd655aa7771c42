"""Builders: a log that can be made to begin its next partition, and executions of any age."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tests.builders.log import App as LogApp
from tests.builders.log import Work as LogWork
from tests.conftest import Database

from carapulse.adapters.embedded.database import OWNER
from carapulse.retention.store import PostgresRoom

SIZE = 1_000_000  # positions in a partition


class Work(LogWork):
    @property
    def room(self) -> PostgresRoom:
        return PostgresRoom(self.connection)


@dataclass
class MovedClock:
    """A clock that goes right, but so much later or earlier."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


def keeping(**days: int) -> SimpleNamespace:
    """Return the settings of an installation that keeps everything but what is named for ever."""
    names = ("lines", "outputs", "events", "dead_letters")
    always = {"idempotency_hours": 24, "deliveries_retention_days": 30}
    return SimpleNamespace(**always, **{f"{name}_retention_days": days.get(name) for name in names})


@dataclass
class App(LogApp):
    clock: Any
    settings: Any = field(default_factory=keeping)

    def begin(self, call):
        return Work(self.engine, call, self.clock)


def begin_partition(database: Database, number: int) -> None:
    """Let the next event be the first of a partition."""
    with database.as_superuser() as connection:
        connection.run("SELECT setval('events_position_seq', :last)", last=number * SIZE - 1 if number else 1)


def partitions(database: Database, parent: str) -> list[str]:
    """Return the names of a table's partitions, the default one too."""
    with database.as_superuser() as connection:
        query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:parent AS regclass)"
        return sorted(name for (name,) in connection.run(query, parent=parent))


def an_id(at: datetime) -> str:
    """Return the id of an execution of this moment."""
    return f"exec_{int(at.timestamp() * 1000):012x}7{'0' * 19}"


@contextmanager
def free_of_keys(database: Database):
    """Connect as somebody for whom nothing has to refer to anything."""
    with database.as_superuser() as connection:
        connection.run("SET session_replication_role = replica")
        yield connection


def an_execution(database: Database, at: datetime, *, is_over: bool = True, output: str = "{}") -> str:
    """Keep an execution that began then, with a line and an output; if it is over, it was over at once."""
    made = an_id(at)
    status, end = ("succeeded", at) if is_over else ("running", None)
    with free_of_keys(database) as connection:
        connection.run(
            "INSERT INTO executions (tenant, id, plan_id, status, state, started_at, finished_at)"
            " VALUES ('acme', :id, 'plan_1', :status, '{}', :at, :end)",
            id=made,
            status=status,
            at=at,
            end=end,
        )
        connection.run(
            "INSERT INTO step_outputs (tenant, execution_id, step_id, phase, fence, digest, output, text, truncated)"
            " VALUES ('acme', :id, 's', 'run', 1, 'd', CAST(:output AS jsonb), 't', false)",
            id=made,
            output=output,
        )
        connection.run(
            "INSERT INTO step_lines (tenant, execution_id, n, step_id, phase, at, line)"
            " VALUES ('acme', :id, 1, 's', 'run', :at, 'a line')",
            id=made,
            at=at,
        )
    return made


def past_weeks(database: Database, *moments: datetime) -> None:
    """Give a new database the partitions that it would have if it had run in the weeks of these moments."""
    with database.as_superuser() as connection:
        connection.run(f"SET ROLE {OWNER}")
        for table in ("step_lines", "step_outputs"):
            connection.run(f"DROP TABLE {table}_before")
            connection.run("DELETE FROM partitions WHERE name = :name", name=f"{table}_before")
            for moment in moments:
                _past_week(connection, table, moment)


def _past_week(connection: Any, table: str, moment: datetime) -> None:
    week = connection.run("SELECT week_of(:moment)", moment=moment)[0][0]
    name = f"{table}_{week}"
    connection.run(
        "SELECT add_partition(:parent, :name, format('FOR VALUES FROM (%L) TO (%L)', first_execution_of(:low),"
        " first_execution_of(:high)))",
        parent=table,
        name=name,
        low=week,
        high=week + 1,
    )
    connection.run(
        "INSERT INTO partitions VALUES (:name, :parent, :low, :high)", name=name, parent=table, low=week, high=week + 1
    )
