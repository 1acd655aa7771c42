"""From the log to messages: what happened is read in order, and what each channel wants of it is written at once."""

import json
import time
from collections.abc import Iterable
from typing import Final

from carapulse.kernel.call import Call
from carapulse.kernel.errors import CorruptRow
from carapulse.kernel.ids import new_id
from carapulse.live.errors import EventsGone, LogUnsettled
from carapulse.live.model import Frame, Stretch
from carapulse.notifications.events import ChannelBehind
from carapulse.notifications.messages import Deliver, TellChannels
from carapulse.notifications.model import Channel, ChannelDelivery
from carapulse.notifications.ports import Following, Log, NotificationPorts, NotificationWork
from carapulse.notifications.wording import body_of, told_of
from carapulse.observe import get_logger

log = get_logger(__name__)
_PATIENCE_S: Final = 2.0
_BREATH_S: Final = 0.02
_MOST_WAITING: Final = 50  # on the way to one channel, before it is told more: the log keeps the rest


def ask_to_tell(call: Call, ports: NotificationPorts) -> int:
    """Have somebody look what channels are to be told, for each tenant that needs it; return how many do."""
    tenants = ports.channel_book.tenants_to_tell()
    for tenant in tenants:
        with ports.begin(call.model_copy(update={"tenant": tenant})) as work:
            if work.channels.ask():
                work.send(TellChannels())
    return len(tenants)


def tell_channels(_message: TellChannels, call: Call, ports: NotificationPorts) -> None:
    """Write messages for what the tenant's channels were not told yet; repeated, it finds nothing to do."""
    settled = _settled(ports.tail)
    with ports.begin(call) as work:
        following = work.channels.following(_MOST_WAITING)
    pages: dict[int, Stretch] = {}
    behind = [_tried(each, settled, pages, call, ports) for each in following if each.reached < settled]
    if any(behind):
        with ports.begin(call) as work:
            work.send(TellChannels())


def _settled(tail: Log) -> int:
    """Return up to where the log is complete, once that is all that was there when this began, or after a while."""
    newest, until = tail.newest(), time.monotonic() + _PATIENCE_S
    while (settled := tail.settled()) is None or settled < newest:
        if time.monotonic() >= until:
            break
        time.sleep(_BREATH_S)
    if settled is None:
        raise LogUnsettled("nobody can say yet up to where the log is complete")
    return settled


def _tried(following: Following, settled: int, pages: dict[int, Stretch], call: Call, ports: NotificationPorts) -> bool:
    """Tell one channel. One that can't be read is in the log and the metrics by then, and holds up no other."""
    try:
        return _tell(following, settled, pages, call, ports)
    except CorruptRow:
        log.error("channel_not_told", channel=following.id)  # noqa: TRY400 - where, and why, was logged
        return False


def _tell(following: Following, settled: int, pages: dict[int, Stretch], call: Call, ports: NotificationPorts) -> bool:
    """Write what one channel is to be told next; return whether there is more."""
    try:
        if following.reached not in pages:
            pages[following.reached] = ports.tail.page(call.tenant, following.reached, settled)
    except EventsGone as gone:
        _skip(following, int(str(gone.facts["retained_from"])), call, ports)
        return True
    stretch = pages[following.reached]
    with ports.begin(call) as work:
        channel = work.channels.advance(following.id, following.reached, stretch.reached)
        if channel is None:
            return False
        _write(channel, stretch.frames, work, ports)
    return stretch.reached < settled


def _write(channel: Channel, frames: Iterable[Frame], work: NotificationWork, ports: NotificationPorts) -> None:
    for frame in frames:
        if frame.kind not in channel.rules.events or _is_own(frame):
            continue
        told = told_of(frame, channel, work, ports)
        if told is None:
            continue
        delivery = ChannelDelivery(
            id=new_id("notice"),
            channel_id=channel.id,
            position=frame.position,
            event=frame.kind,
            subject=frame.subject,
            body=body_of(channel, told, frame.json, ports),
            created_at=work.now(),
        )
        work.channel_deliveries.add(delivery)
        work.send(Deliver(delivery_id=delivery.id))


def _is_own(frame: Frame) -> bool:
    """Say whether an event is about what we send: to tell of that, one would have to send again."""
    return frame.kind == "MessageBuried" and json.loads(frame.json)["data"]["queue"] == TellChannels.queue


def _skip(following: Following, until: int, call: Call, ports: NotificationPorts) -> None:
    """Go on after what is not in the log any more, and say so."""
    with ports.begin(call) as work:
        channel = work.channels.advance(following.id, following.reached, until)
        if channel is None:
            return
        behind = ChannelBehind(channel_id=channel.id, name=channel.name, after=following.reached, until=until)
        work.record(channel.id, behind)
    log.error("channel_behind", channel=following.id, after=following.reached, until=until)
