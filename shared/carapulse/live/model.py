"""What is followed, by whom, and from where. Pure values."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field

from carapulse.audit.model import Word
from carapulse.identity.model import Principal
from carapulse.identity.permissions import permissions_of, require
from carapulse.kernel.call import Call
from carapulse.kernel.record import Record
from carapulse.live.readers import READERS, UNKNOWN

HIGHEST = 2**63 - 1
Position = Annotated[int, Field(ge=0, le=HIGHEST)]
"""A place in the log: the number of an event in the one sequence of all events. 0 is before the first."""


def _known(kind: str) -> str:
    if kind not in READERS:
        raise ValueError("there is no such type of event")
    return kind


Kind = Annotated[str, Field(max_length=100), AfterValidator(_known)]


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


@dataclass(frozen=True, slots=True)
class Seat:
    """One client: whose events it may get, which of them, from where, and for how many seconds its proof holds."""

    tenant: str
    wish: Wish
    after: int | None
    seconds: float


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


def cloud_event(row: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Return an event's envelope (CloudEvents 1.0.2, JSON format, with `sequence` and `traceparent`), without data."""
    envelope = {
        "specversion": "1.0",
        "id": row["id"],
        "source": f"/tenants/{tenant}",
        "type": f"io.carapulse.{row['type']}",
        "subject": row["stream"],
        "time": row["at"].isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "sequence": f"{row['position']:019}",
        "actor": row["actor"],
    }
    if row["trace"].strip("0"):
        envelope["traceparent"] = f"00-{row['trace']}-{span_of(row['id'])}-01"
    return envelope
