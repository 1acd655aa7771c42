"""What happens to channels. Each is a fact in the stream of its channel; none holds a secret or what was told."""

from typing import Self

from carapulse.kernel.event import Event
from carapulse.notifications.model import Channel, ChannelDelivery


class ChannelPut(Event):
    """Somebody is told of something from now on, or of something else, or elsewhere."""

    channel_id: str
    name: str
    kind: str
    address: str
    events: tuple[str, ...]
    environments: tuple[str, ...] | None
    risks: tuple[str, ...] | None
    revision: int

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """Return the fact that a channel is as it is now."""
        return cls(
            channel_id=channel.id,
            name=channel.name,
            kind=channel.kind,
            address=channel.address,
            events=channel.rules.events,
            environments=channel.rules.environments,
            risks=channel.rules.risks,
            revision=channel.revision,
        )


class _AboutChannel(Event):
    channel_id: str
    name: str

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """Return the fact about this channel."""
        return cls(channel_id=channel.id, name=channel.name)


class ChannelDeleted(_AboutChannel):
    """A channel is told nothing any more; its address and its secrets are gone."""


class ChannelDisabled(Event):
    """A channel was switched off, because its receiver said that it is gone."""

    channel_id: str
    name: str
    reason: str


class ChannelSecretIssued(Event):
    """A channel's messages are signed with a new secret. The older ones sign too until a moment, if one is named."""

    channel_id: str
    secret_id: str
    older_until: str | None


class ChannelTested(Event):
    """Somebody had a test message sent."""

    channel_id: str
    name: str
    delivery_id: str


class ChannelBehind(Event):
    """The log went to an archive before a channel was told of it; what lies between two places is not told."""

    channel_id: str
    name: str
    after: int
    until: int


class DeliveryFailed(Event):
    """A message was given up."""

    channel_id: str
    delivery_id: str
    event: str
    subject: str
    attempts: int
    reason: str

    @classmethod
    def of(cls, delivery: ChannelDelivery) -> Self:
        """Return the fact that a message was given up."""
        return cls(
            channel_id=delivery.channel_id,
            delivery_id=delivery.id,
            event=delivery.event,
            subject=delivery.subject,
            attempts=delivery.attempts,
            reason=delivery.last_error or "",
        )
