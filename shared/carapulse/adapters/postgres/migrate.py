"""Bring a database to the newest migration, one program at a time, without ever waiting long for a lock."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import carapulse.migrations
from carapulse.adapters.postgres.engine import connect, translated

_ONE_AT_A_TIME = 0x_CA2A_0001  # key of the advisory lock
_TIMEOUTS = {"lock_timeout": "5s", "statement_timeout": "60s"}


def migrate(owner_url: str, app_role: str) -> None:
    """Run what is missing as the owner role; the app role must exist. Raises Unavailable if a lock can't be had."""
    config = Config()
    config.set_main_option("script_location", str(Path(carapulse.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    engine = connect(owner_url, pool_size=1, timeouts=_TIMEOUTS)
    try:
        with translated(), engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
            connection.commit()
            config.attributes.update(connection=connection, app_role=app_role)
            command.upgrade(config, "head")
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ONE_AT_A_TIME})
            connection.commit()
    finally:
        engine.dispose()
