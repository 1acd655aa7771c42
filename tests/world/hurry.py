"""Half a minute that goes by at once, as the database sees it."""

from typing import Any

_SOON = "dead_at IS NULL AND available_at < clock_timestamp() + interval '1 minute'"


def show_messages(connection: Any) -> None:
    """Let every message show itself that would within a minute."""
    connection.run(f"UPDATE messages SET available_at = clock_timestamp() WHERE {_SOON}")


def let_time_pass(connection: Any) -> None:
    """Let messages show themselves and leases lapse."""
    show_messages(connection)
    connection.run("UPDATE run_leases SET until = clock_timestamp()")
