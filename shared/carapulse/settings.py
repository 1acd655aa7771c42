"""Settings: the only reader of the environment. One frozen model, prefix CARAPULSE_, nothing guessed."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from carapulse.kernel.errors import Fault, Invalid
from carapulse.kernel.message import QUEUES
from carapulse.kernel.pointers import pointer_of

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_ADDRESSES = {
    "sqs": re.compile(r"https?://[^\s/]+/\S+"),
    "pubsub": re.compile(r"projects/[^\s/]+/topics/[^\s/]+"),
}
_IN_FILES = ("database_url", "database_owner_url")
_SECRET = r"^(aws|env|file):\S+$"  # noqa: S105 - a pattern
_PAIRS = ("read", "write", "start", "stream")


def _rate(default: int, description: str) -> Any:  # noqa: ANN401 - as pydantic's own
    return Field(default, ge=1, le=1_000_000, description=description)


class Settings(BaseSettings):
    """What an installation may choose. Unknown CARAPULSE_ names stop the start, so that a typing error can't hide."""

    model_config = SettingsConfigDict(env_prefix="CARAPULSE_", frozen=True, extra="forbid")

    data_dir: Path = Field(Path(".carapulse"), description="where the embedded stack keeps its database and its keys")
    database_url: str | None = Field(None, description="address for the app role; none starts the embedded Postgres")
    database_url_file: Path | None = Field(None, description="a file that holds CARAPULSE_DATABASE_URL, instead of it")
    database_password: str | None = Field(
        None,
        pattern=_SECRET,
        description="where the app role's password is, read for each connection: `aws:NAME#FIELD`, `env:NAME` or"
        " `file:PATH`; then the address has none",
    )
    database_owner_password: str | None = Field(
        None, pattern=_SECRET, description="the same for the owner role's password"
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
    evidence_key: str | None = Field(
        None,
        pattern=r"^kms:[A-Za-z0-9:/_-]{1,2048}$",
        description="the key that signs evidence at AWS KMS: `kms:` and its ARN, id or alias; none keeps one in a file",
    )
    former_evidence_keys: tuple[str, ...] = Field(
        (), max_length=100, description="JSON list of the verifier keys that this installation had before, newest first"
    )
    sealing_key: str | None = Field(
        None,
        pattern=_SECRET,
        description="where the sealing key is: `aws:NAME`, `env:NAME` or `file:PATH`; none keeps one in a file",
    )
    blobs_dir: Path | None = Field(None, description="the folder of blobs; none is `blobs` in the data directory")
    blobs_bucket: str | None = Field(
        None,
        min_length=3,
        max_length=63,
        description="a bucket of S3 that keeps versions, for blobs, instead of a folder",
    )
    evidence_bucket: str | None = Field(
        None,
        min_length=3,
        max_length=63,
        description="a bucket of S3 with object lock, for archives of events, instead of the place of blobs",
    )
    evidence_lock_days: int | None = Field(
        None, ge=1, le=36_500, description="days that an archive is locked there; none leaves that to the bucket"
    )
    evidence_lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(
        "GOVERNANCE", description="whether those who are allowed to may lift such a lock, or nobody"
    )
    policies_dir: Path | None = Field(None, description="the folder with decision.rego; none uses the shipped one")
    connections_file: Path | None = Field(None, description="YAML: which systems tools may reach, and how")
    issuers_file: Path | None = Field(
        None, description="YAML: whose tokens are believed; none believes the embedded stack's own and nobody else's"
    )
    url: str = Field("http://127.0.0.1:8080", description="for the command line: where the API is")
    token: SecretStr | None = Field(None, description="for the command line: the bearer token")
    token_file: Path | None = Field(None, description="for the command line: a file that holds the bearer token")
    host: str = Field(
        "127.0.0.1", description="IP address that the API listens on; 0.0.0.0 is every one of this machine or container"
    )
    port: int = Field(8080, ge=0, le=65535, description="TCP port of the API; 0 takes a free one")
    workers: int = Field(4, ge=1, le=64, description="queue workers in this process")
    visibility_s: float = Field(
        30.0, ge=1, le=3600, description="seconds a taken message stays hidden without a heartbeat"
    )
    queue: Literal["postgres", "sqs", "pubsub"] = Field(
        "postgres", description="who brings messages to workers and functions: the database itself, or a broker"
    )
    queue_addresses: dict[str, str] = Field(
        {}, description="JSON object: the address of each queue at the broker: SQS URLs, or names of Pub/Sub topics"
    )
    turn_s: float = Field(60.0, ge=0, le=3600, description="seconds that a worker stays with one run before others")
    max_deliveries: int = Field(8, ge=1, le=100, description="deliveries before a message is a dead letter")
    http_threads: int = Field(16, ge=1, le=200, description="threads for synchronous endpoints")
    cors_origins: frozenset[str] = Field(
        frozenset(),
        description="JSON list of origins, as `https://host`, whose pages may ask and follow from a browser",
    )
    trusted_proxies: frozenset[str] = Field(
        frozenset(), description="JSON list of addresses or networks of proxies whose X-Forwarded headers are believed"
    )
    rate_read: int = _rate(600, "reads of one actor in a minute")
    rate_read_tenant: int = _rate(3000, "reads of one tenant in a minute")
    rate_write: int = _rate(120, "writes of one actor in a minute")
    rate_write_tenant: int = _rate(600, "writes of one tenant in a minute")
    rate_start: int = _rate(60, "requests of one actor in a minute that start work")
    rate_start_tenant: int = _rate(300, "requests of one tenant in a minute that start work")
    rate_stream: int = _rate(60, "streams that one actor opens in a minute")
    rate_stream_tenant: int = _rate(600, "streams that one tenant opens in a minute")
    rate_webhook: int = _rate(600, "webhooks of one source in a minute")
    rate_unauthenticated: int = _rate(60, "failures of one address in a minute to prove who it is, in each process")
    self_approval_environments: frozenset[str] = Field(
        frozenset(), description="JSON list of environments where a requester may approve; never a production one"
    )

    live_clients: int = Field(2000, ge=1, le=100_000, description="clients that follow events, in this process")
    live_clients_of_tenant: int = Field(1000, ge=1, le=100_000, description="such clients of one tenant")

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

    idempotency_hours: int = Field(
        24, ge=24, le=8760, description="hours that the answer to a request with an Idempotency-Key is kept"
    )

    @model_validator(mode="before")
    @classmethod
    def read_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take addresses that hold a password from the files that are named; refuse a setting that is given twice."""
        return given | {name: _content(name, given) for name in _IN_FILES if given.get(f"{name}_file") is not None}

    @field_validator("host")
    @classmethod
    def name_an_address(cls, given: str) -> str:
        """Refuse what is no IP address: a name could mean several."""
        return str(ip_address(given))

    @field_validator("cors_origins")
    @classmethod
    def name_origins(cls, given: frozenset[str]) -> frozenset[str]:
        """Refuse what is not the exact origin of pages as a browser sends it; `*` and `null` are none."""
        if not all(_ORIGIN.fullmatch(each) for each in given):
            raise ValueError("each must be an exact origin such as https://ops.example.com, in small letters")
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def name_networks(cls, given: frozenset[str]) -> frozenset[str]:
        """Refuse what is no address and no network."""
        for each in given:
            ip_network(each)
        return given

    @model_validator(mode="after")
    def address_queues(self) -> Self:
        """Refuse a broker without an address for each queue, addresses without a broker, and those of another one."""
        if self.queue == "postgres":
            if self.queue_addresses:
                raise ValueError("CARAPULSE_QUEUE_ADDRESSES is set, and CARAPULSE_QUEUE names no broker that has them")
            return self
        if self.queue_addresses.keys() != QUEUES:
            raise ValueError(f"CARAPULSE_QUEUE_ADDRESSES must name exactly {', '.join(sorted(QUEUES))}")
        if not all(_ADDRESSES[self.queue].fullmatch(each) for each in self.queue_addresses.values()):
            raise ValueError(f"CARAPULSE_QUEUE_ADDRESSES holds what is no address for {self.queue}")
        return self

    @model_validator(mode="after")
    def agree(self) -> Self:
        """Refuse settings that contradict each other."""
        if self.database_owner_url is not None and self.database_url is None:
            raise ValueError("CARAPULSE_DATABASE_OWNER_URL is set without CARAPULSE_DATABASE_URL")
        if self.database_url is None and (self.database_pooled or self.database_login != "password"):
            raise ValueError("CARAPULSE_DATABASE_POOLED or CARAPULSE_DATABASE_LOGIN is set for the embedded database")
        if self.database_pooled and _server(self.database_owner_url) in {_server(self.database_url)} - {None}:
            raise ValueError("CARAPULSE_DATABASE_OWNER_URL must lead past the pooler: migrating needs one session")
        for name in ("database", "database_owner"):
            if getattr(self, f"{name}_password") is not None:
                _refuse_password(name, getattr(self, f"{name}_url"), self.database_login)
        if self.blobs_bucket is not None and self.blobs_dir is not None:
            raise ValueError("CARAPULSE_BLOBS_DIR and CARAPULSE_BLOBS_BUCKET name two places for the same blobs")
        if self.evidence_lock_days is not None and self.evidence_bucket is None:
            raise ValueError("CARAPULSE_EVIDENCE_LOCK_DAYS is set without CARAPULSE_EVIDENCE_BUCKET")
        for name in _PAIRS:
            if getattr(self, f"rate_{name}") > getattr(self, f"rate_{name}_tenant"):
                raise ValueError(f"CARAPULSE_RATE_{name.upper()} allows one actor more than its whole tenant may do")
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
    except ValidationError as error:
        faults = tuple(_fault(each) for each in error.errors(include_input=False))
        raise Invalid("the settings can't be used", faults=faults) from error


def _fault(error: ErrorDetails) -> Fault:
    """Return where and what, never the value: it may be a secret."""
    return Fault(pointer=pointer_of(error["loc"]), code=error["type"], detail=error["msg"])
