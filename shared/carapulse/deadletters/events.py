"""What happens to messages that nobody could work off. Each is a fact in the message's own stream, named as its id."""

from typing import Self

from carapulse.deadletters.model import DeadLetter
from carapulse.kernel.event import Event


class MessageBuried(Event):
    """A message was given up."""

    message_id: str
    queue: str
    message_type: str
    reason: str
    attempts: int


class _Settled(Event):
    message_id: str
    queue: str
    message_type: str
    note: str

    @classmethod
    def of(cls, letter: DeadLetter, note: str) -> Self:
        """Return the fact about this letter."""
        return cls(message_id=letter.id, queue=letter.queue, message_type=letter.type, note=note)


class MessageReplayed(_Settled):
    """Somebody put a dead letter back into its queue."""


class MessageDiscarded(_Settled):
    """Somebody threw a dead letter away."""
