"""What every function of functions/ begins with: the application, from the environment alone."""

from functools import cache

from carapulse.adapters.postgres.migrate import migrate
from carapulse.adapters.sealing import KEY_FILE as SEALING_KEY
from carapulse.audit.keys import SECRET_FILE as EVIDENCE_KEY
from carapulse.bootstrap import App, make_app, refuse_nobody_believed
from carapulse.kernel.errors import Invalid
from carapulse.observe import get_logger
from carapulse.runtime.logging import set_up_logging
from carapulse.settings import Settings, load_settings

_KEYS = (EVIDENCE_KEY, SEALING_KEY)

log = get_logger(__name__)


@cache
def application(service: str) -> App:
    """Return the application of this process; connects nothing yet.

    Raises Invalid without a database, and without the keys that `migrate` makes: functions that each made their own
    would not believe each other.
    """
    set_up_logging(service)
    settings = load_settings()
    missing = [name for name in _KEYS if not (settings.data_dir / name).exists()]
    if missing:
        raise Invalid("the data directory lacks keys that all functions share: run migrate first", missing=missing)
    return make_app(settings, _database_of(settings))


def serving_people(service: str) -> App:
    """Return the application for a function that takes bearer tokens; raises NobodyBelieved without issuers."""
    app = application(service)
    refuse_nobody_believed(app.settings)
    return app


def migrate_installation() -> None:
    """Bring the database to the newest migration, and make the keys of a new installation."""
    set_up_logging("migrate")
    settings = load_settings()
    if settings.database_owner_url is None:
        raise Invalid("migrate needs CARAPULSE_DATABASE_OWNER_URL")
    migrate(settings.database_owner_url, settings.database_app_role)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    make_app(settings, _database_of(settings))  # it makes the keys that are not there yet
    log.info("migrated")


def _database_of(settings: Settings) -> str:
    if settings.database_url is None:
        raise Invalid("a function needs CARAPULSE_DATABASE_URL; it starts no database by itself")
    return settings.database_url
