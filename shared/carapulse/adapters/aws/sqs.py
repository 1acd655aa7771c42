"""SQS as a broker: standard queues, long polls, one request for up to ten messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.broker.ports import Arrival, Parcel
from carapulse.observe import get_logger

log = get_logger(__name__)
_LONGEST_DELAY_S: Final = 900.0
_LONGEST_HIDDEN_S: Final = 43_200


@dataclass(frozen=True)
class Sqs:
    """The queues of one installation, each by its address."""

    client: Any
    addresses: Mapping[str, str]
    longest_delay_s: float = _LONGEST_DELAY_S

    @classmethod
    def connect(cls, addresses: Mapping[str, str]) -> Self:
        """Return the queues; asks nobody yet."""
        return cls(client_of("sqs"), addresses)

    def send(self, parcels: Sequence[Parcel]) -> frozenset[str]:
        """Send up to ten parcels for each queue in one request, and return the ids of those that SQS took."""
        taken: set[str] = set()
        for queue in sorted({each.queue for each in parcels}):
            some = [each for each in parcels if each.queue == queue]
            with answered_by("SQS"):
                answer = self.client.send_message_batch(QueueUrl=self.addresses[queue], Entries=list(_entries(some)))
            taken |= {some[int(each["Id"])].id for each in answer.get("Successful", ())}
            for each in answer.get("Failed", ()):
                log.warning("sqs_refused", queue=queue, code=each.get("Code"), sender_fault=each.get("SenderFault"))
        return frozenset(taken)

    def receive(self, queue: str, how_many: int, hidden_s: float, wait_s: float) -> list[Arrival]:
        """Take up to ten messages, waiting up to twenty seconds for the first."""
        with answered_by("SQS"):
            answer = self.client.receive_message(
                QueueUrl=self.addresses[queue],
                MaxNumberOfMessages=min(how_many, 10),
                VisibilityTimeout=_whole(hidden_s),
                WaitTimeSeconds=min(int(wait_s), 20),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        return [_arrival(queue, each) for each in answer.get("Messages", ())]

    def settle(self, arrival: Arrival) -> None:
        """Delete the message."""
        with answered_by("SQS"):
            self.client.delete_message(QueueUrl=self.addresses[arrival.queue], ReceiptHandle=arrival.handle)

    def hide(self, arrival: Arrival, hidden_s: float) -> None:
        """Change how long the message stays invisible to others; 0 shows it at once."""
        with answered_by("SQS"):
            self.client.change_message_visibility(
                QueueUrl=self.addresses[arrival.queue],
                ReceiptHandle=arrival.handle,
                VisibilityTimeout=_whole(hidden_s),
            )


def _entries(parcels: Sequence[Parcel]) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(parcels):
        delay_s = min(_LONGEST_DELAY_S, -(-each.delay_s // 1))  # never before it is due
        yield {"Id": str(number), "MessageBody": each.text, "DelaySeconds": int(delay_s)}


def _arrival(queue: str, message: dict[str, Any]) -> Arrival:
    times = int(message["Attributes"]["ApproximateReceiveCount"])
    return Arrival(queue, message["Body"], times, message["ReceiptHandle"])


def _whole(seconds: float) -> int:
    return min(_LONGEST_HIDDEN_S, max(0, round(seconds)))
