"""Who is asking. Pure values."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from carapulse.kernel.call import Actor
from carapulse.kernel.record import Record

Kind = Literal["person", "service", "agent"]

Tenant = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""The name of a tenant: it appears in keys, so it is short and plain."""

Subject = Annotated[
    str, StringConstraints(max_length=255, pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$")
]
"""The name of an actor: never empty, never blank, no control characters."""


OURS = ("chat:", "collector:", "key:", "schedule:", "source:")
"""How the names begin that only this installation gives, to actors of its own; no issuer may speak for them."""


class Role(StrEnum):
    """What somebody is trusted to be; what a role may do is written in permissions.py."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    SRE = "sre"
    AUDITOR = "auditor"
    SECURITY = "security"
    ADMIN = "admin"
    SERVICE = "service"
    AGENT = "agent"
    COLLECTOR = "collector"


class Proof(Record):
    """How somebody proved who they are: by an issuer's token, or by a key of this installation."""

    kind: Literal["token", "api_key"]
    id: str | None = Field(default=None, description="of the key; of a token, what its issuer calls it")


class Principal(Record):
    """An actor that proved itself, and the one tenant it may act for."""

    actor: Actor
    tenant: Tenant
    expires_at: float = Field(description="seconds since 1970; the proof is not valid after this moment")
    proof: Proof = Field(description="how it proved itself")
