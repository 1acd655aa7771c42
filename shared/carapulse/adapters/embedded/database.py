"""The roles and the database of the embedded stack: an owner that migrates, and an app role that is walled in."""

from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket

OWNER, APP, DATABASE = "carapulse_owner", "carapulse_app", "carapulse"


def prepare(server: EmbeddedPostgres, database: str = DATABASE) -> None:
    """Make the two roles and the database if they aren't there yet."""
    connection = over_socket(server.socket, timeout_s=10)
    try:
        roles = {name for (name,) in connection.run("SELECT rolname FROM pg_roles")}
        for role in {OWNER, APP} - roles:
            connection.run(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
        databases = {name for (name,) in connection.run("SELECT datname FROM pg_database")}
        if database not in databases:
            connection.run(f"CREATE DATABASE {database} OWNER {OWNER}")
    finally:
        connection.close()
