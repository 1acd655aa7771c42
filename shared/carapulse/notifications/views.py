"""What is shown of channels and of what was sent. No view holds a secret, but the answer to whoever asked for it."""

from collections.abc import Sequence
from typing import Self

from pydantic import AwareDatetime, Field

from carapulse.kernel.record import Record
from carapulse.notifications.model import Channel, ChannelDelivery, ChannelKind, DeliveryStatus, Rules, Secret


class SecretView(Record):
    """A secret that holds, without what it is."""

    id: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None


class ChannelView(Rules):
    """A channel: where and of what people are told."""

    id: str
    name: str
    kind: ChannelKind
    address: str = Field(description="host and port that messages are sent to")
    url: str | None = Field(description="all of the address; none where it is a secret")
    revision: int
    put_by: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    off_at: AwareDatetime | None = Field(description="when it was switched off; none while it is on")
    off_why: str | None
    secrets: tuple[SecretView, ...]


class PutChannel(Record):
    """A channel, and the secret that its messages are signed with, if it was made just now. Shown once."""

    channel: ChannelView
    secret: str | None = None
    created: bool


class DeliveryView(Record):
    """One message to a channel, without its content, which is in the log."""

    id: str = Field(description="its `webhook-id`")
    event: str
    subject: str
    sequence: str | None = Field(description="the event's place in the log, to compare as text; none for a test")
    status: DeliveryStatus
    attempts: int
    http_status: int | None = Field(description="of the last answer, if there was one")
    last_error: str | None
    created_at: AwareDatetime
    done_at: AwareDatetime | None

    @classmethod
    def of(cls, delivery: ChannelDelivery) -> Self:
        """Return what is shown of a message."""
        shown = {name: getattr(delivery, name) for name in cls.model_fields if name != "sequence"}
        return cls(**shown, sequence=None if delivery.position is None else f"{delivery.position:019}")


def view_of(channel: Channel, url: str | None, secrets: Sequence[Secret]) -> ChannelView:
    """Return what is shown of a channel."""
    own = {name: getattr(channel, name) for name in Channel.model_fields if name not in {"rules", "sealed"}}
    held = tuple(SecretView(id=each.id, created_at=each.created_at, expires_at=each.expires_at) for each in secrets)
    return ChannelView(**dict(channel.rules), **own, url=url, secrets=held)
