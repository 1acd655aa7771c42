"""Many plans that wait for an approval, made fast: one is asked for as anybody would, its rows are copied."""

import re
from collections.abc import Iterable
from typing import Any

from tests.builders.instant import noops
from tests.world.rig import Rig

_TABLES = {
    "plans": "id = '{plan}'",
    "plan_versions": "plan_id = '{plan}'",
    "approvals": "plan_id = '{plan}'",
    "streams": "stream = '{plan}'",
    "events": "stream = '{plan}'",
    "messages": "body ->> 'plan_id' = '{plan}'",
}
_WAITING = "SELECT count(*) FROM plans WHERE status = 'awaiting_approval'"
_ID = re.compile(r"^[a-z]+_[0-9a-f]{32}$")
_COLUMNS = (
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name = :name AND is_identity = 'NO' AND is_generated = 'NEVER'"
    " AND coalesce(column_default, '') NOT LIKE 'nextval%'"
)


def wait_for_approval(rig: Rig, connection: Any, many: int) -> None:
    """Leave so many more plans that wait, each with its versions, envelope, events and the message of its expiry."""
    ((before,),) = connection.run(_WAITING)
    copy_waiting(connection, noops(rig, "waiting").plan_id, many - 1)
    assert connection.run(_WAITING) == [[before + many]]


def copy_waiting(connection: Any, plan: str, many: int, tables: Iterable[str] = _TABLES) -> None:
    """Copy a plan that waits for an approval so often, with all that belongs to it, or with its rows of some tables."""
    where = {table: _TABLES[table].format(plan=plan) for table in tables}
    ids = {plan, *(each for table, rows in where.items() for each in _ids(connection, table, rows))}
    connection.run("BEGIN")
    for table, rows in where.items():
        _copy(connection, table, rows, ids, many)
    connection.run("COMMIT")
    connection.run("VACUUM ANALYZE")


def _ids(connection: Any, table: str, rows: str) -> list[str]:
    """Return what these rows are called; a stream's row has its plan's name."""
    if "id" not in _columns(connection, table):
        return []
    found = connection.run(f"SELECT id FROM {table} WHERE {rows}")
    assert found, f"a waiting plan has nothing in {table}"
    return [name for (name,) in found if _ID.match(name)]


def _columns(connection: Any, table: str) -> list[str]:
    return [name for (name,) in connection.run(_COLUMNS, name=table)]


def _copy(connection: Any, table: str, rows: str, ids: set[str], many: int) -> None:
    """Copy rows under new ids: every id in them, also inside of documents, ends with the copy's number instead.

    `OFFSET 0` keeps the planner from working a copy out anew for each of its columns.
    """
    renamed = "to_jsonb(original)::text"
    for name in sorted(ids):
        renamed = f"replace({renamed}, '{name}', '{name[:-8]}' || lpad(to_hex(number), 8, '0'))"
    columns = ", ".join(f'"{name}"' for name in _columns(connection, table))
    picked = ", ".join(f'(copy)."{name}"' for name in _columns(connection, table))
    connection.run(
        f"INSERT INTO {table} ({columns}) SELECT {picked} FROM ("
        f"SELECT jsonb_populate_record(NULL::{table}, ({renamed})::jsonb) AS copy"
        f" FROM {table} AS original, generate_series(1, {many}) AS number WHERE {rows} OFFSET 0) AS copies"
    )
