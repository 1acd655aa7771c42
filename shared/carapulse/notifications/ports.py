"""What notifications ask of the world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field

from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Sealer
from carapulse.kernel.work import Work
from carapulse.live.model import Stretch
from carapulse.notifications.model import Channel, ChannelDelivery, DeliveryStatus, Secret, Told
from carapulse.plans.ports import Plans
from carapulse.tools.ports import Web


class DeliveryFilter(Wanted):
    """Which messages to a channel are wanted, and which page of them."""

    status: DeliveryStatus | None = Field(None, description="what became of them")


class Following(Record):
    """A channel that can be told more, and the place up to which it was told."""

    id: str
    reached: int


class Channels(Protocol):
    """Where channels and their secrets are kept."""

    def listed(self) -> Sequence[Channel]:
        """Return every channel, by name."""
        ...

    def named(self, name: str) -> Channel | None:
        """Return the channel of that name and keep others from changing it until the transaction ends, or None."""
        ...

    def lock(self, channel_id: str) -> Channel | None:
        """Return the channel of that id, locked; None if it was deleted."""
        ...

    def add(self, channel: Channel) -> None:
        """Keep a new channel, which is told of what happens from now on."""
        ...

    def replace(self, channel: Channel) -> None:
        """Keep the channel as it now is, and leave its receiver alone no longer."""
        ...

    def switch_on(self, channel: Channel) -> None:
        """Keep a channel that was off and is told again of what happens from now on."""
        ...

    def retire(self, channel: Channel, at: datetime) -> None:
        """Tell the channel nothing more, and forget its address and its secrets."""
        ...

    def secrets(self, channel_id: str, at: datetime) -> Sequence[Secret]:
        """Return the secrets that hold at a moment, the newest first."""
        ...

    def issue(self, secret: Secret) -> None:
        """Keep a new secret."""
        ...

    def expire(self, channel_id: str, at: datetime, until: datetime) -> None:
        """Let every secret of a channel hold until a moment at most; forget those that hold no more."""
        ...

    def ask(self) -> bool:
        """Note that somebody will look what channels are to be told; False if nobody need do so now."""
        ...

    def following(self, most_waiting: int) -> Sequence[Following]:
        """Return the channels that can be told more: on, not left alone, and with less than so much on its way."""
        ...

    def advance(self, channel_id: str, since: int, reached: int) -> Channel | None:
        """Note that a channel was told up to a place; None if somebody else told it meanwhile, or it is off."""
        ...

    def is_left_alone(self, channel_id: str) -> bool:
        """Say whether the receiver failed lately."""
        ...

    def note_taken(self, channel_id: str) -> bool:
        """Note that the receiver takes messages; True if nothing is on its way, and there may be more to tell."""
        ...

    def note_failure(self, channel_id: str, least_s: float) -> None:
        """Leave the receiver alone for a while: longer each time, and at least so many seconds."""
        ...


class ChannelDeliveries(Protocol):
    """Where messages to channels are kept."""

    def add(self, delivery: ChannelDelivery) -> None:
        """Keep a message."""
        ...

    def lock(self, delivery_id: str) -> ChannelDelivery | None:
        """Return a message, locked, or None."""
        ...

    def enter(self, delivery: ChannelDelivery, seconds: float) -> bool:
        """Begin to send, for so long at most; False while this, or enough to the receiver or of the tenant, is sent."""
        ...

    def end(self, delivery: ChannelDelivery) -> None:
        """Keep what became of a message, or of one attempt; nobody sends it now."""
        ...

    def page(self, channel_id: str, wanted: DeliveryFilter) -> Page[ChannelDelivery]:
        """Return the messages of a channel, the newest first."""
        ...


class NotificationWork(Work, Protocol):
    """A unit of work that can reach channels, their messages, and the plans that these are about."""

    @property
    def channels(self) -> Channels:
        """The channels within this unit."""
        ...

    @property
    def channel_deliveries(self) -> ChannelDeliveries:
        """The messages within this unit."""
        ...

    @property
    def plans(self) -> Plans:
        """The plans within this unit."""
        ...


class Log(Protocol):
    """The log from some place on. Every method blocks for as long as the database takes."""

    def newest(self) -> int:
        """Return the last place that was given to an event, which may not be there yet."""
        ...

    def settled(self) -> int | None:
        """Return a place below which nothing can still appear, or None as long as none is known."""
        ...

    def page(self, tenant: str, after: int, until: int) -> Stretch:
        """Return a tenant's first events after a place, not beyond another, which must be settled; or EventsGone."""
        ...


class Words(Protocol):
    """What puts an event into the form of a system that people read."""

    def message(self, told: Told) -> dict[str, Any]:
        """Return the JSON object that is sent."""
        ...


class ChannelBook(Protocol):
    """Knows which tenants have something to be told."""

    def tenants_to_tell(self) -> Sequence[str]:
        """Return the tenants with channels that the log has grown beyond."""
        ...


class Chosen(Protocol):
    """What the installation chose."""

    @property
    def channel_addresses(self) -> frozenset[str]:
        """Addresses, as `host:port`, that messages may go to although they are not of the public internet."""
        ...

    @property
    def public_url(self) -> str | None:
        """Where people reach the API, for links."""
        ...


class NotificationPorts(Protocol):
    """Everything that notifications ask of the application."""

    @property
    def settings(self) -> Chosen:
        """What the installation chose."""
        ...

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def tail(self) -> Log:
        """The log."""
        ...

    @property
    def sealer(self) -> Sealer:
        """Who keeps secrets unreadable."""
        ...

    @property
    def web(self) -> Web:
        """What makes HTTP requests."""
        ...

    @property
    def slack_words(self) -> Words:
        """What puts events into the form of Slack."""
        ...

    @property
    def channel_book(self) -> ChannelBook:
        """What knows who has something to be told."""
        ...

    def begin(self, call: Call) -> NotificationWork:
        """Open a unit of work for the caller's tenant."""
        ...
