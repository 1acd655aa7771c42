"""Bring a database to the newest migration, one program at a time, without ever waiting long for a lock."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import carapulse.migrations
from carapulse.adapters.postgres.door import Door
from carapulse.adapters.postgres.engine import connect, translated
from carapulse.kernel.errors import Invalid

_ONE_AT_A_TIME = 0x_CA2A_0001  # key of the advisory lock
_ROLE = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
_MAY_LOOK = text("SELECT coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false)")
_VERSION = text("SELECT max(version_num) FROM alembic_version")
_TIMEOUTS = {"lock_timeout": "5s", "statement_timeout": "60s"}
_PATIENCE_S = 90.0  # a statement may take that long, so the connection must not be given up before


def migrate(owner: str | Door, app_role: str, revision: str = "head") -> None:
    """Run what is missing as the owner role; the app role must exist. Raises Unavailable if a lock can't be had."""
    config = _configuration()
    engine = connect(owner, pool_size=1, timeouts=_TIMEOUTS, patience_s=_PATIENCE_S)
    try:
        with translated(), engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
            _must_exist(connection, app_role)
            connection.commit()
            config.attributes.update(connection=connection, app_role=app_role)
            command.upgrade(config, revision)
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ONE_AT_A_TIME})
            connection.commit()
    finally:
        engine.dispose()


def refuse_unmigrated(engine: Engine) -> None:
    """Stop a start on a database that lacks what this program needs; a newer one is fine: migrations only expand."""
    needed = ScriptDirectory.from_config(_configuration()).get_current_head() or ""
    with translated(), engine.connect() as connection:
        found = connection.execute(_VERSION).scalar_one() if connection.execute(_MAY_LOOK).scalar_one() else None
    if found is None or found < needed:
        detail = "the database is not migrated: set CARAPULSE_DATABASE_OWNER_URL, or run the function migrate"
        raise Invalid(detail, found=found, needed=needed)


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(carapulse.migrations.__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _must_exist(connection: Connection, app_role: str) -> None:
    if connection.execute(_ROLE, {"name": app_role}).one_or_none() is None:
        raise Invalid("the role of CARAPULSE_DATABASE_APP_ROLE does not exist; make it first", role=app_role)
