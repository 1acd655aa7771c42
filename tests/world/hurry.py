"""Half a minute that goes by at once, as the database sees it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_SOON = "dead_at IS NULL AND available_at < clock_timestamp() + interval '1 minute'"


def show_messages(connection: Any) -> None:
    """Let every message show itself that would within a minute."""
    connection.run(f"UPDATE messages SET available_at = clock_timestamp() WHERE {_SOON}")


def let_time_pass(connection: Any) -> None:
    """Let messages show themselves and leases lapse."""
    show_messages(connection)
    connection.run("UPDATE run_leases SET until = clock_timestamp()")


HALF_A_MINUTE = timedelta(seconds=31)  # and a little, for what comes due after thirty seconds


@dataclass
class ForwardClock:
    """The clock on the wall, put forward by as much as a test has let go by."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the current moment in UTC, as this clock has it."""
        return datetime.now(UTC) + self.ahead

    def put_forward(self, connection: Any) -> None:
        """Let half a minute go by, also for the database: what comes due shows itself, no earlier, and leases lapse.

        The moments at which somebody is to look after a run are by this clock, and the database has its own.
        """
        self.ahead += HALF_A_MINUTE
        connection.run(
            "UPDATE messages SET available_at = available_at - CAST(:by AS interval) WHERE dead_at IS NULL",
            by=HALF_A_MINUTE,
        )
        connection.run("UPDATE run_leases SET until = clock_timestamp()")
        connection.run("UPDATE executions SET look_at = clock_timestamp() WHERE look_at <= :now", now=self.now())
