"""The job that migrates. Only it needs Alembic, whose import takes as long as a third of the framework's."""

from typing import Any, Literal

from pydantic import ValidationError

from carapulse.adapters.postgres.migrate import migrate
from carapulse.bootstrap import make_app
from carapulse.bootstrap.database import owner_door
from carapulse.kernel.errors import Invalid
from carapulse.kernel.record import Record
from carapulse.observe import get_logger
from carapulse.runtime.functions import database_of, keys_in_files
from carapulse.runtime.logging import set_up_logging
from carapulse.settings import load_settings

log = get_logger(__name__)


class _Job(Record):
    do: Literal["migrate", "reseal"] = "migrate"


def do_job(event: dict[str, Any]) -> dict[str, Any]:
    """Do what an operator asks for, which is to migrate if nothing is said, and return what there is to say of it."""
    try:
        job = _Job.model_validate(event or {})
    except ValidationError as error:
        raise Invalid('this is no job: nothing, or {"do": "reseal"}') from error
    if job.do == "migrate":
        migrate_installation()
        return {}
    from carapulse.runtime.resealing import reseal_installation  # noqa: PLC0415 - a deployment never asks for it

    set_up_logging("reseal")
    settings = load_settings()
    return reseal_installation(settings, database_of(settings)).model_dump(mode="json")


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
