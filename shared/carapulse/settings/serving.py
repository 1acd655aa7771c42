"""Whom the API serves, how many, and how often."""

import re
from ipaddress import ip_address, ip_network
from typing import Any, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_PAIRS = ("read", "write", "start", "stream")


def _rate(default: int, description: str) -> Any:  # noqa: ANN401 - as pydantic's own
    return Field(default, ge=1, le=1_000_000, description=description)


class ServingSettings(BaseSettings):
    """What is chosen about the API."""

    host: str = Field(
        "127.0.0.1", description="IP address that the API listens on; 0.0.0.0 is every one of this machine or container"
    )
    port: int = Field(8080, ge=0, le=65535, description="TCP port of the API; 0 takes a free one")
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
    rate_webhook: int = _rate(600, "webhooks of one source, or requests of one workspace of a chat, in a minute")
    rate_unauthenticated: int = _rate(60, "failures of one address in a minute to prove who it is, in each process")
    live_clients: int = Field(2000, ge=1, le=100_000, description="clients that follow events, in this process")
    live_clients_of_tenant: int = Field(1000, ge=1, le=100_000, description="such clients of one tenant")
    live_gateway: str | None = Field(
        None,
        pattern=r"^https?://[a-z0-9.:-]+(/[A-Za-z0-9_-]+)*$",
        description="on AWS: the address of the stage of a WebSocket API, which holds the sockets of clients; their"
        " bounds are then those of the installation",
    )
    live_pusher: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9:_-]{1,170}$",
        description="on AWS: the name of the function that tells those clients, for whoever lets one in",
    )
    chat_link_hours: int = Field(
        12, ge=1, le=72, description="hours that a person is known in a chat, until they have to be linked again"
    )
    chat_reply_addresses: frozenset[str] = Field(
        frozenset({"hooks.slack.com:443"}),
        description="JSON list of `host:port` that replies to a chat may be sent to; others than Slack's are for tests",
    )
    idempotency_hours: int = Field(
        24, ge=24, le=8760, description="hours that the answer to a request with an Idempotency-Key is kept"
    )

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
    def allow_a_tenant_more(self) -> Self:
        """Refuse one actor more than its tenant."""
        for name in _PAIRS:
            if getattr(self, f"rate_{name}") > getattr(self, f"rate_{name}_tenant"):
                raise ValueError(f"CARAPULSE_RATE_{name.upper()} allows one actor more than its whole tenant may do")
        return self
