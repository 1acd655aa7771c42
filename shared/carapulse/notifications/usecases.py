"""What can be asked of channels. One function is one thing that can be asked for."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from carapulse.identity.permissions import require
from carapulse.intake.signing import new_secret
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.ids import new_id
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.kernel.record import Record
from carapulse.live.readers import READERS
from carapulse.notifications.errors import (
    ChannelInvalid,
    ChannelNotFound,
    ChannelOff,
    ChannelUnsigned,
    TooManyChannels,
    TooManySecrets,
)
from carapulse.notifications.events import ChannelDeleted, ChannelPut, ChannelSecretIssued, ChannelTested
from carapulse.notifications.messages import Deliver
from carapulse.notifications.model import MOST_CHANNELS, MOST_SECRETS, Channel, ChannelDelivery, Registration, Secret
from carapulse.notifications.ports import DeliveryFilter, NotificationPorts, NotificationWork
from carapulse.notifications.views import ChannelView, DeliveryView, PutChannel, view_of
from carapulse.notifications.wording import body_of, tried
from carapulse.tools.requests import address_of

_WEEK = 604_800


class RotateChannelSecret(Record):
    """Ask for a new secret, and say for how long messages are signed with the older ones, too."""

    older_for_s: int = Field(86_400, ge=0, le=_WEEK, strict=True)


def put_channel(
    name: str, registration: Registration, call: Call, ports: NotificationPorts, seen: Match = WHICHEVER
) -> PutChannel:
    """Make a channel, or change it; the same again changes nothing, but one that is off is switched on.

    Raises Denied for kinds of event that the caller may not read, ChannelInvalid for what can't work. A new webhook's
    secret is in the answer, and never again.
    """
    for kind in registration.events:
        require(call, READERS[kind])
    faults = tuple(registration.mistakes(ports.settings.channel_addresses))
    if faults:
        raise ChannelInvalid("the channel can't work", faults=faults)
    with ports.begin(call) as work:
        known = work.channels.named(name)
        seen.check(None if known is None else _view(known, call, ports, work))
        if known is None:
            return _add(name, registration, call, ports, work)
        return _change(known, registration, call, ports, work)


def list_channels(call: Call, ports: NotificationPorts) -> Page[ChannelView]:
    """Return every channel, by name."""
    with ports.begin(call) as work:
        return Page(data=tuple(_view(each, call, ports, work) for each in work.channels.listed()))


def get_channel(name: str, call: Call, ports: NotificationPorts) -> ChannelView:
    """Return a channel."""
    with ports.begin(call) as work:
        return _view(_known(name, work), call, ports, work)


def delete_channel(name: str, call: Call, ports: NotificationPorts, seen: Match = WHICHEVER) -> None:
    """Tell a channel nothing more. What waits for it is not sent."""
    with ports.begin(call) as work:
        channel = _known(name, work)
        seen.check(_view(channel, call, ports, work))
        work.channels.retire(channel, call.at)
        work.record(channel.id, ChannelDeleted.of(channel))


def rotate_channel_secret(name: str, command: RotateChannelSecret, call: Call, ports: NotificationPorts) -> PutChannel:
    """Give a channel a new secret; for a while its messages bear signatures with the older ones, too."""
    with ports.begin(call) as work:
        channel = _known(name, work)
        if not channel.is_signed:
            raise ChannelUnsigned("messages of this kind of channel bear no signature", kind=channel.kind)
        older_until = call.at + timedelta(seconds=command.older_for_s)
        work.channels.expire(channel.id, call.at, older_until)
        if len(work.channels.secrets(channel.id, call.at)) >= MOST_SECRETS:
            raise TooManySecrets("so many secrets hold already", most=MOST_SECRETS)
        secret = _issue(channel, older_until, call, ports, work)
        return PutChannel(channel=_view(channel, call, ports, work), secret=secret, created=False)


def try_channel(name: str, call: Call, ports: NotificationPorts) -> DeliveryView:
    """Have a test message sent, which says nothing but that. What becomes of it is in the list of deliveries."""
    with ports.begin(call) as work:
        channel = _known(name, work)
        if channel.off_at is not None:
            raise ChannelOff("the channel is off", why=channel.off_why)
        delivery = _trial(channel, call, ports)
        work.channel_deliveries.add(delivery)
        work.record(channel.id, ChannelTested(channel_id=channel.id, name=name, delivery_id=delivery.id))
        work.send(Deliver(delivery_id=delivery.id))
        return DeliveryView.of(delivery)


def list_deliveries(name: str, wanted: DeliveryFilter, call: Call, ports: NotificationPorts) -> Page[DeliveryView]:
    """Return what was sent to a channel, or is to be, the newest first."""
    with ports.begin(call) as work:
        page = work.channel_deliveries.page(_known(name, work).id, wanted)
        return Page(data=tuple(DeliveryView.of(each) for each in page.data), next_cursor=page.next_cursor)


def url_purpose(channel_id: str, tenant: str) -> str:
    """Return what an address is sealed for, so that it opens in its own row alone."""
    return f"{tenant}/{channel_id}/url"


def secret_purpose(secret_id: str, channel_id: str, tenant: str) -> str:
    """Return what a secret is sealed for, so that it opens in its own row alone."""
    return f"{tenant}/{channel_id}/{secret_id}"


def _known(name: str, work: NotificationWork) -> Channel:
    channel = work.channels.named(name)
    if channel is None:
        raise ChannelNotFound("no such channel", name=name)
    return channel


def _add(
    name: str, registration: Registration, call: Call, ports: NotificationPorts, work: NotificationWork
) -> PutChannel:
    if len(work.channels.listed()) >= MOST_CHANNELS:
        raise TooManyChannels("a tenant can't have more channels", most=MOST_CHANNELS)
    channel_id = new_id("channel")
    channel = Channel(
        id=channel_id,
        name=name,
        created_at=call.at,
        **_said(channel_id, registration, call, ports),
    )
    work.channels.add(channel)
    work.record(channel.id, ChannelPut.of(channel))
    secret = _issue(channel, None, call, ports, work) if channel.is_signed else None
    return PutChannel(channel=_view(channel, call, ports, work), secret=secret, created=True)


def _change(
    known: Channel, registration: Registration, call: Call, ports: NotificationPorts, work: NotificationWork
) -> PutChannel:
    if known.kind != registration.kind:
        raise ChannelInvalid("a channel stays of its kind; make another one", kind=known.kind)
    is_same = known.rules == registration.rules and registration.url == _url(known, call, ports)
    if is_same and known.off_at is None:
        return PutChannel(channel=_view(known, call, ports, work), created=False)
    said = _said(known.id, registration, call, ports)
    channel = known.model_copy(update={**said, "revision": known.revision + 1, "off_at": None, "off_why": None})
    if known.off_at is None:
        work.channels.replace(channel)
    else:
        work.channels.switch_on(channel)
    work.record(channel.id, ChannelPut.of(channel))
    return PutChannel(channel=_view(channel, call, ports, work), created=False)


def _said(channel_id: str, registration: Registration, call: Call, ports: NotificationPorts) -> dict[str, Any]:
    """Return what of a channel comes out of a registration."""
    return {
        "kind": registration.kind,
        "address": address_of(registration.url),
        "sealed": ports.sealer.seal(registration.url, url_purpose(channel_id, call.tenant)),
        "rules": registration.rules,
        "put_by": call.actor.id,
        "updated_at": call.at,
    }


def _issue(
    channel: Channel, older_until: datetime | None, call: Call, ports: NotificationPorts, work: NotificationWork
) -> str:
    """Keep a new secret in a form that can't be read, and return it in clear for the one answer that shows it."""
    plain = new_secret()
    secret = Secret(id=new_id("secret"), channel_id=channel.id, sealed="-", created_at=call.at)
    sealed = ports.sealer.seal(plain, secret_purpose(secret.id, channel.id, call.tenant))
    work.channels.issue(secret.model_copy(update={"sealed": sealed}))
    until = older_until.isoformat() if older_until else None
    work.record(channel.id, ChannelSecretIssued(channel_id=channel.id, secret_id=secret.id, older_until=until))
    return plain


def _url(channel: Channel, call: Call, ports: NotificationPorts) -> str:
    return ports.sealer.open(channel.sealed, url_purpose(channel.id, call.tenant))


def _view(channel: Channel, call: Call, ports: NotificationPorts, work: NotificationWork) -> ChannelView:
    url = _url(channel, call, ports) if channel.kind == "webhook" else None
    return view_of(channel, url, work.channels.secrets(channel.id, call.at))


def _trial(channel: Channel, call: Call, ports: NotificationPorts) -> ChannelDelivery:
    told, cloud_event = tried(channel, call)
    return ChannelDelivery(
        id=new_id("notice"),
        channel_id=channel.id,
        event=told.kind,
        subject=told.subject,
        body=body_of(channel, told, cloud_event, ports),
        created_at=call.at,
    )
