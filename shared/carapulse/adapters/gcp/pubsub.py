"""Pub/Sub as a broker: a topic for each queue, and beside it a subscription of the same name for those who pull."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from google.api_core.exceptions import DeadlineExceeded, GoogleAPIError
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import PublisherClient as OneRequest

from carapulse.broker.ports import Arrival, Parcel
from carapulse.kernel.errors import Unavailable

_ONCE: Final[dict[str, Any]] = {"timeout": 10.0, "retry": None}  # whoever calls tries again, and knows what that means
_LONGEST_HIDDEN_S: Final = 600


@dataclass(frozen=True)
class PubSub:
    """The topics of one installation, each by its name (`projects/P/topics/T`).

    A batch is published by one plain request of the API: what `PublisherClient` puts around it collects messages in a
    thread of its own and sends them later, while here the answer has to be known before the table is told.
    """

    publisher: Any
    subscriber: Any
    topics: Mapping[str, str]
    longest_delay_s: float = 0.0

    @classmethod
    def connect(cls, topics: Mapping[str, str]) -> Self:
        """Return the topics; asks nobody yet."""
        return cls(PublisherClient(), SubscriberClient(), topics)

    def send(self, parcels: Sequence[Parcel]) -> frozenset[str]:
        """Publish all for one topic in one request; Pub/Sub takes all of it or nothing."""
        for queue in sorted({each.queue for each in parcels}):
            some = [{"data": each.text.encode(), "ordering_key": each.group} for each in parcels if each.queue == queue]
            request = {"topic": self.topics[queue], "messages": some}
            with _translated():
                OneRequest.publish(self.publisher, request=request, **_ONCE)
        return frozenset(each.id for each in parcels)

    def receive(self, queue: str, how_many: int, hidden_s: float, wait_s: float) -> list[Arrival]:
        """Pull what is there, waiting for the first; each is hidden from now on, as if it had been asked for."""
        request = {"subscription": self._subscription(queue), "max_messages": how_many}
        with _translated():
            try:
                answer = self.subscriber.pull(request=request, timeout=max(1.0, wait_s), retry=None)
            except DeadlineExceeded:
                return []  # nothing was there until the time was up
        arrivals = [_arrival(queue, each) for each in answer.received_messages]
        for each in arrivals:
            self.hide(each, hidden_s)
        return arrivals

    def settle(self, arrival: Arrival) -> None:
        """Acknowledge the message."""
        request = {"subscription": self._subscription(arrival.queue), "ack_ids": [arrival.handle]}
        with _translated():
            self.subscriber.acknowledge(request=request, **_ONCE)

    def hide(self, arrival: Arrival, hidden_s: float) -> None:
        """Change the message's deadline, ten minutes from now at most; 0 gives it back at once."""
        seconds = min(_LONGEST_HIDDEN_S, max(0, round(hidden_s)))
        request = {"subscription": self._subscription(arrival.queue), "ack_ids": [arrival.handle]}
        with _translated():
            self.subscriber.modify_ack_deadline(request={**request, "ack_deadline_seconds": seconds}, **_ONCE)

    def _subscription(self, queue: str) -> str:
        return self.topics[queue].replace("/topics/", "/subscriptions/")


def _arrival(queue: str, received: Any) -> Arrival:  # noqa: ANN401 - the client's own type
    times = max(1, received.delivery_attempt)  # 0 where the subscription has no dead letters
    return Arrival(queue, received.message.data.decode("utf-8", "replace"), times, received.ack_id)


@contextmanager
def _translated() -> Iterator[None]:
    """Let Google's errors leave as ours: whatever it is, the row is still there and is published again."""
    try:
        yield
    except GoogleAPIError as error:
        raise Unavailable("Pub/Sub refused, or did not answer", kind=type(error).__name__) from error
