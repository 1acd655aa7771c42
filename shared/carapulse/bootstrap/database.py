"""How the database is reached under these settings, and what proves it to be us at each new connection."""

from pathlib import Path

from carapulse.adapters.postgres.address import refuse_careless, with_token
from carapulse.adapters.postgres.door import Door
from carapulse.kernel.errors import Unavailable
from carapulse.settings import Settings, content_of


def app_door(settings: Settings, url: str) -> Door:
    """Return how the program reaches it; for each connection a file is read anew, and a token made anew."""
    return _door(
        settings, url, settings.database_url_file, "CARAPULSE_DATABASE_URL_FILE", pooled=settings.database_pooled
    )


def owner_door(settings: Settings, url: str) -> Door:
    """Return how whoever migrates reaches it, which is never through a pooler."""
    return _door(settings, url, settings.database_owner_url_file, "CARAPULSE_DATABASE_OWNER_URL_FILE", pooled=False)


def _door(settings: Settings, url: str, file: Path | None, setting: str, *, pooled: bool) -> Door:
    def now() -> str:
        return url if file is None else _read(file, setting)

    if settings.database_login == "password":
        return Door(now, pooled)
    from carapulse.adapters.aws.rds import RdsTokens  # noqa: PLC0415 - importing it takes longer than the rest

    refuse_careless(url)
    tokens = RdsTokens.connect()
    return Door(lambda: with_token(now(), tokens.token), pooled)


def _read(file: Path, setting: str) -> str:
    try:
        return content_of(file, setting)
    except ValueError as error:
        raise Unavailable(str(error)) from error
