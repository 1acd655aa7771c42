"""Work: one unit of change, written whole or not at all. Areas add the stores that they need."""

from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from carapulse.kernel.event import Event
from carapulse.kernel.message import Message


class Work(Protocol):
    """A transaction in which state, events and outgoing messages are one write."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write everything on a clean exit, nothing on any exception."""
        ...

    def now(self) -> datetime:
        """Return the moment that the unit's clock tells."""
        ...

    def record(self, stream: str, event: Event, at: datetime | None = None) -> datetime:
        """Append a fact to a stream, in the same write, and return its moment: the given one, or now."""
        ...

    def send(self, message: Message, *, delay_s: float = 0.0) -> None:
        """Send a message, in the same write, to be seen after a delay in seconds."""
        ...
