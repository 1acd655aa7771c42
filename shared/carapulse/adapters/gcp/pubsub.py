"""Pub/Sub as a broker: a topic for each queue, and beside it a subscription of the same name for those who pull."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from google.api_core.exceptions import DeadlineExceeded, GoogleAPIError
from google.api_core.retry import Retry
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import PublisherOptions

from carapulse.broker.ports import Arrival, Parcel
from carapulse.kernel.errors import Unavailable
from carapulse.observe import get_logger

log = get_logger(__name__)
_PATIENCE_S: Final = 10.0
_LONGEST_HIDDEN_S: Final = 600
_RETRY = Retry(initial=0.1, maximum=2.0, timeout=_PATIENCE_S)


@dataclass(frozen=True)
class PubSub:
    """The topics of one installation, each by its name (`projects/P/topics/T`)."""

    publisher: Any
    subscriber: Any
    topics: Mapping[str, str]
    longest_delay_s: float = 0.0

    @classmethod
    def connect(cls, topics: Mapping[str, str]) -> Self:
        """Return the topics; asks nobody yet."""
        ordered = PublisherOptions(enable_message_ordering=True)
        return cls(PublisherClient(publisher_options=ordered), SubscriberClient(), topics)

    def send(self, parcels: Sequence[Parcel]) -> frozenset[str]:
        """Publish, and return the ids of what Pub/Sub took; what is about one plan stays in order."""
        with _translated():
            sending = [(each, self._publish(each)) for each in parcels]
        return frozenset(each.id for each, sent in sending if self._was_taken(each, sent))

    def receive(self, queue: str, how_many: int, hidden_s: float, wait_s: float) -> list[Arrival]:
        """Pull what is there, waiting for the first; each is hidden from now on, as if it had been asked for."""
        request = {"subscription": self._subscription(queue), "max_messages": how_many}
        try:
            with _translated():
                answer = self.subscriber.pull(request=request, timeout=max(1.0, wait_s), retry=None)
        except _NothingCame:
            return []
        arrivals = [_arrival(queue, each) for each in answer.received_messages]
        for each in arrivals:
            self.hide(each, hidden_s)
        return arrivals

    def settle(self, arrival: Arrival) -> None:
        """Acknowledge the message."""
        request = {"subscription": self._subscription(arrival.queue), "ack_ids": [arrival.handle]}
        with _translated():
            self.subscriber.acknowledge(request=request, timeout=_PATIENCE_S)

    def hide(self, arrival: Arrival, hidden_s: float) -> None:
        """Change the message's deadline, ten minutes from now at most; 0 gives it back at once."""
        seconds = min(_LONGEST_HIDDEN_S, max(0, round(hidden_s)))
        request = {"subscription": self._subscription(arrival.queue), "ack_ids": [arrival.handle]}
        with _translated():
            self.subscriber.modify_ack_deadline(
                request={**request, "ack_deadline_seconds": seconds}, timeout=_PATIENCE_S
            )

    def _publish(self, parcel: Parcel) -> "Future[str]":
        options = {"ordering_key": parcel.group, "retry": _RETRY, "timeout": _PATIENCE_S}
        sent: Future[str] = self.publisher.publish(self.topics[parcel.queue], parcel.text.encode(), **options)
        return sent

    def _was_taken(self, parcel: Parcel, sent: "Future[str]") -> bool:
        """Wait for the answer; after a refusal its ordering key is stopped until it is said to go on."""
        try:
            sent.result(_PATIENCE_S)
        except (GoogleAPIError, FutureTimeoutError) as error:
            log.warning("pubsub_refused", queue=parcel.queue, kind=type(error).__name__)
            self.publisher.resume_publish(self.topics[parcel.queue], parcel.group)
            return False
        return True

    def _subscription(self, queue: str) -> str:
        return self.topics[queue].replace("/topics/", "/subscriptions/")


class _NothingCame(Exception):  # noqa: N818 - it is none
    """Nothing was there until the time was up."""


def _arrival(queue: str, received: Any) -> Arrival:  # noqa: ANN401 - the client's own type
    times = max(1, received.delivery_attempt)  # 0 where the subscription has no dead letters
    return Arrival(queue, received.message.data.decode("utf-8", "replace"), times, received.ack_id)


@contextmanager
def _translated() -> Iterator[None]:
    """Let Google's errors leave as ours: whatever it is, the row is still there and is published again."""
    try:
        yield
    except DeadlineExceeded as error:
        raise _NothingCame from error
    except GoogleAPIError as error:
        raise Unavailable("Pub/Sub refused, or did not answer", kind=type(error).__name__) from error
