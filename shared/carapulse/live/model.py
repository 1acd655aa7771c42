"""What is followed, by whom, and from where. Pure values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field
from pydantic.json_schema import SkipJsonSchema

from carapulse.audit.model import Word
from carapulse.identity.model import Principal, Proof
from carapulse.identity.permissions import permissions_of, require
from carapulse.kernel.call import Call
from carapulse.kernel.record import Record
from carapulse.kernel.spelling import WHOLE
from carapulse.live.readers import READERS, UNKNOWN

HIGHEST = 2**63 - 1
KEY_REVOKED: Final = "ApiKeyRevoked"
KEY_ROTATED: Final = "ApiKeyRotated"
KeyEnd = Literal["revoked", "rotated"]
TYPE_PREFIX = "io.carapulse."
"""What stands before the kind of an event in the type of a CloudEvent."""

Position = Annotated[int, Field(ge=0, le=HIGHEST), WHOLE]
"""A place in the log: the number of an event in the one sequence of all events. 0 is before the first."""


def _known(kind: str) -> str:
    if kind not in READERS:
        raise ValueError("there is no such type of event")
    return kind


def _has_no_default(schema: dict[str, Any]) -> None:
    """Say of a member that it is absent where there is nothing to say, and never null."""
    schema.pop("default", None)


Kind = Annotated[str, Field(max_length=100, json_schema_extra={"enum": sorted(READERS)}), AfterValidator(_known)]


def key_of(proof: Proof) -> str | None:
    """Return the id of the key that somebody proved themselves with, if it was a key."""
    return proof.id if proof.kind == "api_key" else None


def key_end(kind: str, body: Mapping[str, Any], principal: Principal) -> KeyEnd | None:
    """Return what an event about a key is to whoever proved themselves with it.

    A key that was rotated may still hold for a while; whoever proved themselves after that knows for how long.
    """
    if kind == KEY_REVOKED:
        return "revoked"
    ends_at = datetime.fromisoformat(body["ends_at"]).timestamp()
    return "rotated" if ends_at < principal.expires_at else None


class Ask(Record):
    """What a client wants to follow, and from where."""

    types: frozenset[Kind] | None = Field(None, description="types of events; none is all that you may read")
    subject: Word | None = Field(None, description="what the events are about, as a plan's id; none is everything")
    after: Position | None = Field(None, description="the place to go on after; 0 is the beginning, none is now")

    def resumed(self, last: int | None) -> Self:
        """Return this from where the client was; browsers come back to the same address and say that beside it."""
        return self if last is None else self.model_copy(update={"after": last})


@dataclass(frozen=True, slots=True)
class Wish:
    """Which events one client gets: those that it asked for and whose kind its roles may read."""

    kinds: frozenset[str]
    sees_unknown: bool
    subject: str | None

    @classmethod
    def of(cls, ask: Ask, call: Call) -> Self:
        """Return what the caller gets; raises Denied if it asked for a kind that it may not read."""
        for kind in sorted(ask.types or ()):
            require(call, READERS[kind])
        granted = permissions_of(call.actor.roles)
        readable = frozenset(kind for kind, permission in READERS.items() if permission in granted)
        return cls(ask.types or readable, ask.types is None and UNKNOWN in granted, ask.subject)

    def takes(self, frame: "Frame") -> bool:
        """Return whether an event is among them."""
        is_kind = frame.kind in self.kinds or (self.sees_unknown and frame.kind not in READERS)
        return is_kind and self.subject in (None, frame.subject)


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as clients get it: its place, what decides who gets it, and a CloudEvent as JSON."""

    position: int
    kind: str
    subject: str
    json: str


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing new up to this place: when a client begins, when it asks, or as a sign of life."""

    position: int
    kind: Literal["open", "heartbeat", "pong"] = "heartbeat"


@dataclass(frozen=True, slots=True)
class Over:
    """The last that a client gets: why, and after which place it can go on."""

    code: str
    detail: str
    position: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events of one tenant from one place to another; there is no other event between them."""

    frames: tuple[Frame, ...]
    reached: int

    def end_of(self, principal: Principal | None) -> KeyEnd | None:
        """Return the first that befell the key by which somebody proved who they are, if that ended the proof."""
        key = None if principal is None else key_of(principal.proof)
        if principal is None or key is None:
            return None
        about = (each for each in self.frames if each.subject == key and each.kind in {KEY_REVOKED, KEY_ROTATED})
        ends = (key_end(each.kind, json.loads(each.json)["data"], principal) for each in about)
        return next((end for end in ends if end is not None), None)


@dataclass(frozen=True, slots=True)
class Seat:
    """One client: whose events it may get, which of them, from where, for how many seconds, and who proved to be it."""

    tenant: str
    wish: Wish
    after: int | None
    seconds: float
    principal: Principal | None = None


class EventEnvelope(Record):
    """What is around an event (CloudEvents 1.0.2, JSON format); `data`, which is the event itself, comes behind it."""

    specversion: Literal["1.0"]
    id: str = Field(description="the event's own id; the same however often it is read")
    source: str = Field(description="`/tenants/` and the tenant that it happened in")
    type: str = Field(description="`io.carapulse.` and the kind of event")
    subject: str = Field(description="what it is about, the stream of the log that it is in: a plan's id, a source's")
    time: AwareDatetime
    datacontenttype: Literal["application/json"]
    sequence: str = Field(pattern="^[0-9]{19}$", description="the place in the log, to compare as text")
    actor: str = Field(description="who did it")
    traceparent: str | SkipJsonSchema[None] = Field(
        None, description="W3C trace context, if it has a trace", json_schema_extra=_has_no_default
    )


class Sign(Record):
    """Nothing new for a client up to a place: when it begins, as a sign of life, or because it asked."""

    type: Literal["open", "heartbeat", "pong"]
    after: str = Field(description="the place in the log to go on after")


class End(Record):
    """The last that a client gets: why, and after which place it can go on."""

    type: Literal["end"]
    code: str = Field(description="stable; programs decide by it")
    detail: str
    after: str = Field(description="the place in the log to go on after")


class Ticket(Record):
    """What a browser shows instead of a bearer, once: in the address, because it can't set headers there."""

    ticket: str = Field(description="for `ticket` in the address of /v1/events or /v1/ws; it holds once")
    expires_at: AwareDatetime


class KeptTicket(Record):
    """A ticket as it is kept: a digest, whom it speaks for, and until when it can be used."""

    id: str
    digest: str
    principal: Principal
    expires_at: AwareDatetime


def span_of(event_id: str) -> str:
    """Return the W3C span id of an event: the last part of its own id, which is random."""
    return event_id[-16:]


def cloud_event(row: dict[str, Any], tenant: str) -> EventEnvelope:
    """Return what is around an event that the log holds."""
    return EventEnvelope(
        specversion="1.0",
        id=row["id"],
        source=f"/tenants/{tenant}",
        type=f"{TYPE_PREFIX}{row['type']}",
        subject=row["stream"],
        time=row["at"],
        datacontenttype="application/json",
        sequence=f"{row['position']:019}",
        actor=row["actor"],
        traceparent=f"00-{row['trace']}-{span_of(row['id'])}-01" if row["trace"].strip("0") else None,
    )
