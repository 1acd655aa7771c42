"""What people are shown of a dead letter."""

from typing import Any, Literal, Self

from pydantic import AwareDatetime

from carapulse.deadletters.model import DeadLetter
from carapulse.kernel.record import Record
from carapulse.redaction import redacted, redacted_text


class DeadLetterView(Record):
    """A message that was given up, with nothing secret in it."""

    id: str
    queue: str
    type: str
    reason: str | None
    attempts: int
    created_at: AwareDatetime
    dead_at: AwareDatetime
    trace: str
    body: Any

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        """Return what is shown of a letter."""
        reason = None if letter.reason is None else redacted_text(letter.reason)
        return cls(**{**dict(letter), "reason": reason, "body": redacted(letter.body)})


class SettledView(Record):
    """What became of a message that was a dead letter."""

    id: str
    queue: str
    type: str
    outcome: Literal["replayed", "discarded"]

    @classmethod
    def of(cls, letter: DeadLetter, outcome: Literal["replayed", "discarded"]) -> Self:
        """Return what became of a letter."""
        return cls(id=letter.id, queue=letter.queue, type=letter.type, outcome=outcome)
