"""A dead letter, and which of them are wanted. Pure."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from carapulse.kernel.cursor import Wanted
from carapulse.kernel.names import TRIMMED
from carapulse.kernel.record import Record

Note = Annotated[str, StringConstraints(min_length=1, max_length=2000), TRIMMED]
Word = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]


class DeadLetter(Record):
    """A message that nobody works on any more. `body` is whatever is stored, which may be why it died."""

    id: str = Field(min_length=1)
    queue: str
    type: str
    reason: str | None
    attempts: int
    created_at: AwareDatetime
    dead_at: AwareDatetime
    trace: str
    body: Any


class DeadLetterFilter(Wanted):
    """Which dead letters are wanted, and which page of them."""

    queue: Word | None = None
    type: Word | None = None
