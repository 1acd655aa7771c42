"""Call: who is asking, for which tenant, when, and under which trace."""

from typing import Literal

from pydantic import AwareDatetime, Field

from carapulse.kernel.record import Record


class Actor(Record):
    """A person, service or agent that can be held to account."""

    id: str = Field(min_length=1)
    kind: Literal["person", "service", "agent"] = "person"
    roles: frozenset[str] = frozenset()


class Attempt(Record):
    """One try to carry out a request that its caller may send again: under which key, and which try of those."""

    id: str = Field(min_length=1)
    key: str = Field(min_length=1)


class Call(Record):
    """The circumstances of one request, message or task."""

    actor: Actor
    tenant: str = Field(min_length=1)
    at: AwareDatetime
    trace: str = Field(description="W3C trace id, 32 hex digits")
    attempt: Attempt | None = Field(None, description="what the caller's units of work must mark as having an effect")
