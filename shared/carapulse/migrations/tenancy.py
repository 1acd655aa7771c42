"""What every migration that makes a tenant table calls, so that none forgets its wall."""

from alembic import context, op

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
