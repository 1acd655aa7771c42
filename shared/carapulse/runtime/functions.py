"""What every function of functions/ begins with: the application, from the environment alone."""

from functools import cache

from carapulse.adapters.sealing import KEY_FILE as SEALING_KEY
from carapulse.audit.keys import SECRET_FILE as EVIDENCE_KEY
from carapulse.bootstrap import App, make_app
from carapulse.bootstrap.believing import refuse_nobody_believed
from carapulse.kernel.errors import Invalid
from carapulse.runtime.logging import set_up_logging
from carapulse.settings import Settings, load_settings


@cache
def application(service: str) -> App:
    """Return the application of this process; connects nothing yet.

    Raises Invalid without a database, and without the keys that `migrate` makes: functions that each made their own
    would not believe each other.
    """
    set_up_logging(service)
    settings = load_settings()
    missing = [name for name in keys_in_files(settings) if not (settings.data_dir / name).exists()]
    if missing:
        raise Invalid("the data directory lacks keys that all functions share: run migrate first", missing=missing)
    return make_app(settings, database_of(settings))


def keys_in_files(settings: Settings) -> list[str]:
    """Return the names of those keys that lie in the data directory and nowhere else."""
    elsewhere = {EVIDENCE_KEY: settings.evidence_key, SEALING_KEY: settings.sealing_key}
    return [name for name, place in elsewhere.items() if place is None]


def serving_people(service: str) -> App:
    """Return the application for a function that takes bearer tokens; raises NobodyBelieved without issuers."""
    app = application(service)
    refuse_nobody_believed(app.settings)
    return app


def database_of(settings: Settings) -> str:
    """Return the database's address; raises Invalid without one."""
    if settings.database_url is None:
        raise Invalid("a function needs CARAPULSE_DATABASE_URL; it starts no database by itself")
    return settings.database_url
