"""How the database is reached under these settings, and what proves it to be us at each new connection."""

from collections.abc import Callable
from pathlib import Path

from carapulse.adapters.postgres.address import refuse_careless, with_token
from carapulse.adapters.postgres.door import Door
from carapulse.bootstrap.stores import secrets_of
from carapulse.kernel.errors import Unavailable
from carapulse.settings import Settings, content_of
from carapulse.tools.errors import SecretMissing


def app_door(settings: Settings, url: str) -> Door:
    """Return how the program reaches it; for each connection a file or a secret is read anew, or a token made anew."""
    file, place = settings.database_url_file, settings.database_password
    now = _with_password(_address(url, file, "CARAPULSE_DATABASE_URL_FILE"), place, settings)
    return _door(settings, url, now, pooled=settings.database_pooled)


def owner_door(settings: Settings, url: str) -> Door:
    """Return how whoever migrates reaches it, which is never through a pooler."""
    file, place = settings.database_owner_url_file, settings.database_owner_password
    now = _with_password(_address(url, file, "CARAPULSE_DATABASE_OWNER_URL_FILE"), place, settings)
    return _door(settings, url, now, pooled=False)


def _door(settings: Settings, url: str, now: Callable[[], str], *, pooled: bool) -> Door:
    if settings.database_login == "password":
        return Door(now, pooled)
    from carapulse.adapters.aws.rds import RdsTokens

    refuse_careless(url)
    tokens = RdsTokens.connect()
    return Door(lambda: with_token(now(), tokens.token), pooled)


def _address(url: str, file: Path | None, setting: str) -> Callable[[], str]:
    return lambda: url if file is None else _read(file, setting)


def _with_password(now: Callable[[], str], place: str | None, settings: Settings) -> Callable[[], str]:
    """Return the address with the password that a store holds at that moment, if one was named."""
    if place is None:
        return now
    secrets = secrets_of(settings)

    def password(*_: object) -> str:
        try:
            return secrets.read(place)
        except SecretMissing as error:
            raise Unavailable("the password of the database is not there", reference=place) from error

    return lambda: with_token(now(), password)


def _read(file: Path, setting: str) -> str:
    try:
        return content_of(file, setting)
    except ValueError as error:
        raise Unavailable(str(error)) from error
