"""What a broker does (SQS, Pub/Sub), and what the table of messages does for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that is to be published: where its row is, what it is about, and in how many seconds it is due."""

    id: str
    receipt: str
    tenant: str
    queue: str
    type: str
    subject: str
    trace: str
    created_at: datetime
    delay_s: float


@dataclass(frozen=True, slots=True)
class Parcel:
    """A text for one queue of a broker. The broker keeps those of one group in order, if it keeps any order."""

    id: str
    queue: str
    group: str
    text: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery by a broker: the text, how often it was delivered with this one, and by what it is answered.

    A broker that knows CloudEvents hands over their attributes instead of a text.
    """

    queue: str
    text: str | bytes | dict[str, Any]
    times: int
    handle: Any


class Broker(Protocol):
    """A queue service of a cloud. Delivery is at least once, in any order."""

    @property
    def longest_delay_s(self) -> float:
        """The longest time for which it can hold a parcel back; 0 if it can't."""
        ...

    def send(self, parcels: Sequence[Parcel]) -> frozenset[str]:
        """Send, and return the ids of those that it took; raise Unavailable if it can't be asked at all."""
        ...

    def receive(self, queue: str, how_many: int, hidden_s: float, wait_s: float) -> list[Arrival]:
        """Take what is there, waiting so long for the first; each stays hidden from others for a while."""
        ...

    def settle(self, arrival: Arrival) -> None:
        """Say that it is done with."""
        ...

    def hide(self, arrival: Arrival, hidden_s: float) -> None:
        """Keep it hidden for so many seconds from now; 0 gives it back at once."""
        ...


class Outbox(Protocol):
    """The table of messages, as a publisher sees it."""

    def ready(self, queues: Collection[str], how_many: int, ahead_s: float) -> list[Ready]:
        """Take messages that are due, or will be within so many seconds, so that no other publisher takes them."""
        ...

    def published(self, messages: Sequence[Ready]) -> None:
        """Leave alone what a broker has now, for as long as it may need to deliver it."""
        ...

    def put_back(self, messages: Sequence[Ready]) -> None:
        """Give back what no broker took; it is due again in a moment."""
        ...
