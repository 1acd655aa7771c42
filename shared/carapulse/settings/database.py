"""How the database is reached, and by what it knows us."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from carapulse.settings.references import REFERENCE

_IN_FILES = ("database_url", "database_owner_url")


class DatabaseSettings(BaseSettings):
    """What is chosen about the database."""

    database_url: str | None = Field(None, description="address for the app role; none starts the embedded Postgres")
    database_url_file: Path | None = Field(None, description="a file that holds CARAPULSE_DATABASE_URL, instead of it")
    database_password: str | None = Field(
        None,
        pattern=REFERENCE,
        description="where the app role's password is, read for each connection: `aws:NAME#FIELD`, `env:NAME` or"
        " `file:PATH`; then the address has none",
    )
    database_owner_password: str | None = Field(
        None, pattern=REFERENCE, description="the same for the owner role's password"
    )
    database_login: Literal["password", "rds-iam"] = Field(
        "password", description="how the database is told who asks: the password in its address, or a token of AWS IAM"
    )
    database_pooled: bool = Field(
        default=False, description="CARAPULSE_DATABASE_URL leads to a pooler in transaction mode, such as PgBouncer"
    )
    database_owner_url: str | None = Field(None, description="address for the owner role, which migrates")
    database_owner_url_file: Path | None = Field(
        None, description="a file that holds CARAPULSE_DATABASE_OWNER_URL, instead of it"
    )
    database_app_role: str = Field("carapulse_app", description="the app role's name, for grants")

    @model_validator(mode="before")
    @classmethod
    def read_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take addresses that hold a password from the files that are named; refuse a setting that is given twice."""
        return given | {name: _content(name, given) for name in _IN_FILES if given.get(f"{name}_file") is not None}

    @model_validator(mode="after")
    def reach_the_database(self) -> Self:
        """Refuse addresses and ways to log in that contradict each other."""
        if self.database_owner_url is not None and self.database_url is None:
            raise ValueError("CARAPULSE_DATABASE_OWNER_URL is set without CARAPULSE_DATABASE_URL")
        if self.database_url is None and (self.database_pooled or self.database_login != "password"):
            raise ValueError("CARAPULSE_DATABASE_POOLED or CARAPULSE_DATABASE_LOGIN is set for the embedded database")
        if self.database_pooled and _server(self.database_owner_url) in {_server(self.database_url)} - {None}:
            raise ValueError("CARAPULSE_DATABASE_OWNER_URL must lead past the pooler: migrating needs one session")
        for name in ("database", "database_owner"):
            if getattr(self, f"{name}_password") is not None:
                _refuse_password(name, getattr(self, f"{name}_url"), self.database_login)
        return self


def _content(name: str, given: Mapping[str, Any]) -> str:
    setting = f"CARAPULSE_{name.upper()}"
    if given.get(name) is not None:
        raise ValueError(f"{setting} and {setting}_FILE are both set")
    return content_of(Path(given[f"{name}_file"]), f"{setting}_FILE")


def content_of(file: Path, setting: str) -> str:
    """Return the text in a file that a setting names; ValueError if there is none."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file that {setting} names can't be read: {_reason(error)}") from error
    if not text:
        raise ValueError(f"the file that {setting} names is empty")
    return text


def _refuse_password(name: str, url: str | None, login: str) -> None:
    if login != "password" or url is None or urlsplit(url).password is not None:
        raise ValueError(
            f"CARAPULSE_{name.upper()}_PASSWORD is for a CARAPULSE_{name.upper()}_URL without a password and a token"
        )


def _server(url: str | None) -> str | None:
    """Return the host and port of an address, or None where it names none."""
    return url and (urlsplit(url).netloc.rpartition("@")[2] or None)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
