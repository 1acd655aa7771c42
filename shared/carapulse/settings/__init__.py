"""Settings: the only reader of the environment. One frozen model, prefix CARAPULSE_, nothing guessed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict, SettingsError

from carapulse.kernel.errors import Fault, Invalid
from carapulse.kernel.pointers import pointer_of
from carapulse.settings.bringing import BringingSettings, Orchestrator
from carapulse.settings.database import DatabaseSettings, content_of
from carapulse.settings.keeping import KeepingSettings
from carapulse.settings.serving import ServingSettings
from carapulse.settings.telling import TellingSettings

__all__ = ["Orchestrator", "Settings", "content_of", "environment", "load_settings", "state_home"]


class Settings(TellingSettings, ServingSettings, BringingSettings, KeepingSettings, DatabaseSettings):
    """What an installation may choose. Unknown CARAPULSE_ names stop the start, so that a typing error can't hide."""

    model_config = SettingsConfigDict(env_prefix="CARAPULSE_", frozen=True, extra="forbid")

    data_dir: Path = Field(Path(".carapulse"), description="where the embedded stack keeps its database and its keys")
    policies_dir: Path | None = Field(None, description="the folder with decision.rego; none uses the shipped one")
    connections_file: Path | None = Field(None, description="YAML: which systems tools may reach, and how")
    issuers_file: Path | None = Field(
        None, description="YAML: whose tokens are believed; none believes the embedded stack's own and nobody else's"
    )
    url: str = Field("http://127.0.0.1:8080", description="for the command line: where the API is")
    token: SecretStr | None = Field(None, description="for the command line: the bearer token")
    token_file: Path | None = Field(None, description="for the command line: a file that holds the bearer token")
    self_approval_environments: frozenset[str] = Field(
        frozenset(), description="JSON list of environments where a requester may approve; never a production one"
    )
    lines_retention_days: int | None = Field(
        None, ge=1, le=36_500, description="days that lines of tools stay after their execution; none keeps them"
    )
    outputs_retention_days: int | None = Field(
        None, ge=1, le=36_500, description="days that outputs of steps stay after their execution; none keeps them"
    )
    events_retention_days: int | None = Field(
        None, ge=1, le=36_500, description="days before events at rest go from the log to an archive; none keeps them"
    )
    dead_letters_retention_days: int | None = Field(
        None, ge=1, le=36_500, description="days that messages stay which were given up; none keeps them"
    )


def environment() -> Mapping[str, str]:
    """Return the process environment, for what is named by reference: secrets that tools use."""
    return os.environ  # noqa: TID251 - the one place


def state_home() -> Path:
    """Return where programs of this person keep what should outlast them (XDG Base Directory Specification)."""
    named = Path(environment().get("XDG_STATE_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".local" / "state"


def load_settings(**given: Any) -> Settings:  # noqa: ANN401 - any setting
    """Read the environment, with what a caller gives on top; a CARAPULSE_ name that is no setting stops the start."""
    known = {f"CARAPULSE_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith("CARAPULSE_") and name not in known)  # noqa: TID251 - the one place
    if unknown:
        raise Invalid("these settings don't exist", names=unknown)
    try:
        return Settings(**given)
    except SettingsError as error:  # it names the setting, and not the value
        raise Invalid("a setting that has to be JSON is none", said=str(error)) from error
    except ValidationError as error:
        faults = tuple(_fault(each) for each in error.errors(include_input=False))
        raise Invalid("the settings can't be used", faults=faults) from error


def _fault(error: ErrorDetails) -> Fault:
    """Return where and what, never the value: it may be a secret."""
    return Fault(pointer=pointer_of(error["loc"]), code=error["type"], detail=error["msg"])
