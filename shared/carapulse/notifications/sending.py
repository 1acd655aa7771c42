"""Sending one message: first the right to send, then the request, then what became of it."""

import threading
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from carapulse.intake.signing import sign
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.notifications.errors import (
    ChannelBusy,
    ChannelPaused,
    DeliveryGone,
    ReceiverForbidden,
    ReceiverGone,
    ReceiverRefused,
    ReceiverUnavailable,
)
from carapulse.notifications.events import ChannelDisabled, DeliveryFailed
from carapulse.notifications.messages import Deliver, TellChannels
from carapulse.notifications.model import Channel, ChannelDelivery, DeliveryStatus
from carapulse.notifications.ports import NotificationPorts, NotificationWork
from carapulse.notifications.usecases import secret_purpose, url_purpose
from carapulse.observe import get_logger
from carapulse.redaction import redacted_text
from carapulse.tools.errors import EgressRefused, InputRefused
from carapulse.tools.ports import Answer, Request
from carapulse.tools.requests import address_of

log = get_logger(__name__)
_SENDING_S: Final = 10.0
_HELD_S: Final = 20.0  # longer than sending may take; after it, whoever sent is taken for gone
_ANSWER_BYTES: Final = 4096
_LONGEST_WAIT_S: Final = 3600
_LONGEST_REASON: Final = 500
_DONE: Final = {DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED}


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A message that may be sent now, and how."""

    delivery: ChannelDelivery
    channel: Channel
    request: Request

    def may_say(self, now: ChannelDelivery, problem: Problem | None) -> bool:
        """Whether an attempt's outcome is news: a failure is not, once somebody else sends the message or has done."""
        if problem is None:
            return now.status is not DeliveryStatus.DELIVERED
        return now.status is DeliveryStatus.WAITING and now.attempts == self.delivery.attempts + 1


def deliver(message: Deliver, call: Call, ports: NotificationPorts) -> None:
    """Send one message, unless that is done. A crash after it was sent and before that is noted sends it again.

    Raises what says whether it is tried again: Unavailable, or Invalid if that would be of no use.
    """
    parcel = _entered(message, call, ports)
    if parcel is None:
        return
    answer, problem = _sent(parcel.request, ports)
    _note(parcel, answer, problem, call, ports)
    if problem is not None:
        raise problem


def give_up_delivery(message: Deliver, reason: str, call: Call, ports: NotificationPorts) -> None:
    """Note that a message is a dead letter now; whoever has that replayed has it sent again."""
    with ports.begin(call) as work:
        delivery = work.channel_deliveries.lock(message.delivery_id)
        if delivery is None or delivery.status is not DeliveryStatus.WAITING:
            return
        why = redacted_text(reason)[:_LONGEST_REASON]
        failed = delivery.model_copy(update={"status": DeliveryStatus.FAILED, "last_error": why, "done_at": call.at})
        work.channel_deliveries.end(failed)
        work.record(delivery.channel_id, DeliveryFailed.of(failed))


def _entered(message: Deliver, call: Call, ports: NotificationPorts) -> _Parcel | None:
    """Take the right to send; None if there is nothing to send any more."""
    with ports.begin(call) as work:
        delivery = work.channel_deliveries.lock(message.delivery_id)
        if delivery is None:
            raise DeliveryGone("what was to be delivered is not kept any more")
        if delivery.status in _DONE:
            return None
        channel = work.channels.lock(delivery.channel_id)
        if channel is None or channel.off_at is not None:
            skipped = {"status": DeliveryStatus.SKIPPED, "last_error": "the channel is off", "done_at": call.at}
            work.channel_deliveries.end(delivery.model_copy(update=skipped))
            return None
        if work.channels.is_left_alone(channel.id):
            raise ChannelPaused("the receiver failed lately")
        if not work.channel_deliveries.enter(delivery, _HELD_S):
            raise ChannelBusy("other messages are on their way to the receiver, or to others of the tenant")
        return _Parcel(delivery, channel, _request(delivery, channel, call, ports, work))


def _request(
    delivery: ChannelDelivery, channel: Channel, call: Call, ports: NotificationPorts, work: NotificationWork
) -> Request:
    url = ports.sealer.open(channel.sealed, url_purpose(channel.id, call.tenant))
    body = delivery.body.encode()
    headers = [("Content-Type", "application/json")]
    if channel.is_signed:
        headers[0] = ("Content-Type", "application/cloudevents+json")
        timestamp = str(int(call.at.timestamp()))
        opened = [
            ports.sealer.open(each.sealed, secret_purpose(each.id, channel.id, call.tenant))
            for each in work.channels.secrets(channel.id, call.at)
        ]
        signatures = " ".join(sign(secret, delivery.id, timestamp, body) for secret in opened)
        headers += [
            ("webhook-id", delivery.id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signatures),
        ]
    return Request(
        method="POST",
        url=url,
        headers=tuple(headers),
        body=body,
        may_reach=frozenset({address_of(url)}),
        may_be_private=ports.settings.channel_addresses,
        answer_bytes=_ANSWER_BYTES,
    )


def _sent(request: Request, ports: NotificationPorts) -> tuple[Answer | None, Problem | None]:
    """Send, and return the answer if there is one, and what it means if the message was not taken."""
    try:
        answer = ports.web.send(request, cancelled=threading.Event(), deadline_s=_SENDING_S)
    except (EgressRefused, InputRefused) as refusal:
        return None, ReceiverForbidden(refusal.detail)
    except Problem as failure:
        return None, ReceiverUnavailable(failure.detail)
    return answer, _problem_of(answer)


def _problem_of(answer: Answer) -> Problem | None:
    """Return what an answer means for the message: nothing, if it was taken."""
    status = answer.status
    if status is None:
        return ReceiverUnavailable("the receiver did not answer in time")
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status == HTTPStatus.GONE:
        return ReceiverGone("the receiver says that it is gone")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ReceiverUnavailable(f"the receiver answered with {status}")
    return ReceiverRefused(f"the receiver answered with {status}")


def _note(
    parcel: _Parcel, answer: Answer | None, problem: Problem | None, call: Call, ports: NotificationPorts
) -> None:
    """Keep what became of an attempt, of the message and of its channel, as far as it is not known better by now."""
    with ports.begin(call) as work:
        delivery = work.channel_deliveries.lock(parcel.delivery.id)  # before its channel, as everybody locks them
        channel = work.channels.lock(parcel.channel.id)
        if delivery is not None and parcel.may_say(delivery, problem):
            status = None if answer is None else answer.status
            work.channel_deliveries.end(_outcome(delivery, status, problem, work.now()))
        if channel is None or channel.revision != parcel.channel.revision:
            return  # whoever is told now did not answer this
        if problem is not None:
            _blame(channel, problem, answer, work)
        elif work.channels.note_taken(channel.id):
            work.send(TellChannels())


def _outcome(delivery: ChannelDelivery, status: int | None, problem: Problem | None, at: datetime) -> ChannelDelivery:
    """Return a message after an attempt: delivered, or waiting for another."""
    if problem is None:
        taken = {"status": DeliveryStatus.DELIVERED, "http_status": status, "last_error": None, "done_at": at}
        return delivery.model_copy(update=taken)
    return delivery.model_copy(update={"http_status": status, "last_error": f"{problem.code}: {problem.detail}"})


def _blame(channel: Channel, problem: Problem, answer: Answer | None, work: NotificationWork) -> None:
    """Leave a receiver alone that failed, and switch off the channel of one that is gone."""
    if isinstance(problem, ReceiverGone) and channel.off_at is None:
        at = work.record(channel.id, ChannelDisabled(channel_id=channel.id, name=channel.name, reason=problem.detail))
        work.channels.replace(channel.switched_off(problem.detail, at))
    elif isinstance(problem, ReceiverUnavailable):
        work.channels.note_failure(channel.id, _asked_for(answer))


def _asked_for(answer: Answer | None) -> float:
    """Return for how many seconds a receiver asks to be left alone (RFC 9110, 10.2.3), within an hour."""
    said = "" if answer is None else answer.headers.get("retry-after", "")
    return float(min(int(said), _LONGEST_WAIT_S)) if said.isascii() and said.isdigit() and len(said) < 10 else 0.0  # noqa: PLR2004
