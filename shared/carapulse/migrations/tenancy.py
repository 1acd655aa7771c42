"""What every migration that makes a tenant table calls, so that none forgets its wall."""

from alembic import context, op
from sqlalchemy import text

Grant = str
_TENANT = "tenant = nullif(current_setting('carapulse.tenant', true), '')"


def app_role() -> str:
    """Return the quoted name of the role that the program runs as."""
    name: str = context.config.attributes["app_role"]
    return '"' + name.replace('"', '""') + '"'


def wall(table: str, grants: Grant) -> None:
    """Force row-level security on a table with a `tenant` column and grant the app role just these verbs."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {table}_tenant ON {table} TO {app_role()} USING ({_TENANT}) WITH CHECK ({_TENANT})")
    op.execute(f"GRANT {grants} ON {table} TO {app_role()}")


def open_to_owner(table: str) -> None:
    """Let functions that the owner defines see every tenant's rows; the app role can only call such functions."""
    op.execute(f"CREATE POLICY {table}_owner ON {table} TO current_user USING (true) WITH CHECK (true)")


def callable_by_app(signature: str) -> None:
    """Let the app role, and nobody else, call a function that crosses tenants."""
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {app_role()}")


def note_partition(name: str, parent: str, high: int) -> None:
    """Note that a table which was there before its parent holds everything below a bound."""
    note = text("INSERT INTO partitions (name, parent, low, high) VALUES (:name, :parent, 0, :high)")
    op.get_bind().execute(note, {"name": name, "parent": parent, "high": high})


def reached(sequence: str) -> int:
    """Return the last number that a sequence gave out, 0 if none; a look at the table would see no tenant's rows."""
    last = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608 - our own name
    number: int = op.get_bind().execute(last).scalar_one()
    return number
