"""The job that migrates. Only it needs Alembic, whose import takes as long as a third of the framework's."""

from carapulse.adapters.postgres.migrate import migrate
from carapulse.bootstrap import make_app
from carapulse.bootstrap.database import owner_door
from carapulse.kernel.errors import Invalid
from carapulse.observe import get_logger
from carapulse.runtime.functions import database_of, keys_in_files
from carapulse.runtime.logging import set_up_logging
from carapulse.settings import load_settings

log = get_logger(__name__)


def migrate_installation() -> None:
    """Bring the database to the newest migration, and make the keys of a new installation."""
    set_up_logging("migrate")
    settings = load_settings()
    if settings.database_owner_url is None:
        raise Invalid("migrate needs CARAPULSE_DATABASE_OWNER_URL")
    migrate(owner_door(settings, settings.database_owner_url), settings.database_app_role)
    if keys_in_files(settings):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    make_app(settings, database_of(settings))  # it makes the keys that are not there yet
    log.info("migrated")
