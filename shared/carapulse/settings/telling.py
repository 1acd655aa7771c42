"""Where people are told what happens, and for how long is kept that they were."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

_LONGEST = 300


class TellingSettings(BaseSettings):
    """What is chosen about channels."""

    public_url: str | None = Field(
        None,
        max_length=512,
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$",
        description="where people reach the API, for links in what they are told; none leaves links out",
    )
    channel_addresses: frozenset[str] = Field(
        frozenset(),
        description="JSON list of addresses, as `host:port`, that channels may reach by http and in private networks",
    )
    deliveries_retention_days: int = Field(
        30, ge=1, le=36_500, description="days that messages to channels stay after they were delivered or given up"
    )

    @field_validator("channel_addresses")
    @classmethod
    def name_hosts_and_ports(cls, given: frozenset[str]) -> frozenset[str]:
        """Refuse what is no `host:port` in small letters."""
        for each in given:
            host, _, port = each.rpartition(":")
            if not host or not port.isdigit() or len(each) > _LONGEST or each != each.lower() or "/" in each:
                raise ValueError("each must be host:port in small letters, such as alerts.internal:8443")
        return given
