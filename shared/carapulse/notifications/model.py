"""Channels: who is told what, and where. Pure values."""

import ipaddress
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from carapulse.kernel.call import Names
from carapulse.kernel.errors import Fault, Problem
from carapulse.kernel.names import Slug
from carapulse.kernel.record import Record
from carapulse.live.readers import READERS
from carapulse.tools.addresses import address_of
from carapulse.tools.model import Risk

ChannelName = Slug
ChannelKind = Literal["webhook", "slack"]

OWN: Final = "channel:read"
"""The permission that events about channels need. No channel is told of them: that would never end."""
TELLABLE: Final = frozenset(kind for kind, permission in READERS.items() if permission != OWN)
"""The kinds of event that a channel can be told of."""
OF_PLANS: Final = frozenset(
    kind for kind in TELLABLE if READERS[kind] in {"plan:read", "approval:read", "execution:read"}
)
"""Those in the stream of a plan, whose place and risk are known."""
MOST_CHANNELS: Final = 50
MOST_SECRETS: Final = 10
"""Of one channel at a time: each is a signature in a header of every message, and receivers read only so much."""


def _known(kind: str) -> str:
    if kind not in TELLABLE:
        raise ValueError("there is no such kind of event, or channels are not told of it")
    return kind


def _in_order(given: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(given)))


TellableKind = Annotated[
    str, Field(max_length=100, json_schema_extra={"enum": sorted(TELLABLE)}), AfterValidator(_known)
]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[!-~]+$")]


class Rules(Record):
    """What a channel is told of."""

    events: Annotated[tuple[TellableKind, ...], AfterValidator(_in_order)] = Field(
        min_length=1, max_length=len(TELLABLE), description="kinds of event"
    )
    environments: Names | None = Field(
        None, min_length=1, description="only what is about plans for these; none is everything"
    )
    risks: Annotated[tuple[Risk, ...], AfterValidator(_in_order)] | None = Field(
        None, min_length=1, max_length=len(Risk), description="only what is about plans of these; none is everything"
    )

    @property
    def is_narrow(self) -> bool:
        """Whether the plan that an event is about has a say."""
        return self.environments is not None or self.risks is not None

    def takes(self, plan: "PlanFacts | None") -> bool:
        """Say whether an event of a right kind, about this plan, is told."""
        if not self.is_narrow:
            return True
        if plan is None:
            return False
        fits_place = self.environments is None or plan.environment in self.environments
        return fits_place and (self.risks is None or plan.risk in self.risks)


class Registration(Rules):
    """What an administrator says about a channel; putting the same again changes nothing."""

    kind: ChannelKind
    url: Url = Field(
        description="where messages are sent; of a Slack channel a secret, which is never shown", repr=False
    )

    @property
    def rules(self) -> Rules:
        """What it is told of, without where it is."""
        return Rules(**{name: getattr(self, name) for name in Rules.model_fields})

    def mistakes(self, private: frozenset[str]) -> Iterator[Fault]:
        """Yield what can't work; `private` are the addresses that may be reached though they are nobody else's."""
        yield from _mistakes_of_url(self.url, private)
        if self.is_narrow:
            for number, kind in enumerate(self.events):
                if kind not in OF_PLANS:
                    detail = f"{kind} is about no plan, so environments and risks would never let it through"
                    yield Fault(pointer=f"/events/{number}", code="about-no-plan", detail=detail)


def _mistakes_of_url(url: str, private: frozenset[str]) -> Iterator[Fault]:
    try:
        address = address_of(url)
    except Problem as problem:
        yield Fault(pointer="/url", code="no-address", detail=problem.detail)
        return
    if address in private:
        return
    if not url.startswith("https:"):
        yield Fault(pointer="/url", code="not-encrypted", detail="messages go to an https address")
    if _is_own(urlsplit(url).hostname or ""):
        yield Fault(pointer="/url", code="private-address", detail="the address is not one of the public internet")


def _is_own(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Channel(Record):
    """A channel of a tenant: where, about what, and whether it is on."""

    id: str
    name: ChannelName
    kind: ChannelKind
    address: str = Field(description="host and port, which may be shown")
    sealed: str = Field(description="where to; only the installation's key opens it", repr=False)
    rules: Rules
    revision: int = Field(1, ge=1, description="grows with every change")
    put_by: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    off_at: AwareDatetime | None = None
    off_why: str | None = None

    @property
    def is_signed(self) -> bool:
        """Whether its messages bear a signature."""
        return self.kind == "webhook"

    def switched_off(self, why: str, at: AwareDatetime) -> Self:
        """Return this channel as one that is told nothing any more."""
        return self.model_copy(update={"off_at": at, "off_why": why})


class Secret(Record):
    """One secret by which a receiver knows that a message is ours."""

    id: str
    channel_id: str
    sealed: str = Field(repr=False)
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None


class DeliveryStatus(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class ChannelDelivery(Record):
    """One message to one channel. Its id is the `webhook-id`, however often it is sent."""

    id: str
    channel_id: str
    position: int | None = Field(None, description="the event's place in the log; a test message has none")
    event: str
    subject: str
    body: str = Field(repr=False)
    status: DeliveryStatus = DeliveryStatus.WAITING
    attempts: int = 0
    http_status: int | None = None
    last_error: str | None = None
    created_at: AwareDatetime
    done_at: AwareDatetime | None = None


class PlanFacts(Record):
    """What people are told of a plan that something is about."""

    id: str
    summary: str
    environment: str
    service: str | None
    risk: Risk
    requested_by: str


class Told(Record):
    """One event, as it is put into words."""

    kind: str
    at: AwareDatetime
    actor: str
    subject: str
    data: dict[str, Any]
    plan: PlanFacts | None = None
    link: str | None = None
