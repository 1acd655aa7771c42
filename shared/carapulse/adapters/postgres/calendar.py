"""What tenants have declared, read by one statement that is bound to one of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from carapulse.freezes.model import Freeze
from carapulse.freezes.rules import Rules
from carapulse.freezes.windows import Window
from carapulse.rows import read_row

_STANDING = "SELECT kind, id, body FROM standing_rules(:tenant, CAST(:at AS timestamptz))"


class Runs(Protocol):
    """Runs one statement, which is a transaction of its own."""

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        """Return its rows."""
        ...


@dataclass(frozen=True, slots=True)
class PostgresCalendar:
    """Asks the database each time."""

    direct: Runs

    def rules(self, tenant: str, at: datetime) -> Rules:
        """Return what a tenant has declared that is not lifted, and whose time at a moment is not over."""
        rows = self.direct.run(_STANDING, tenant=tenant, at=at)
        return Rules(freezes=tuple(_freezes(rows)), windows=tuple(_windows(rows)))


def _freezes(rows: list[list[Any]]) -> Iterable[Freeze]:
    for kind, row_id, body in rows:
        if kind == "freeze":
            yield read_row(Freeze, body, table="freezes", row_id=row_id)


def _windows(rows: list[list[Any]]) -> Iterable[Window]:
    for kind, row_id, body in rows:
        if kind == "window":
            yield read_row(Window, body, table="maintenance_windows", row_id=row_id)
