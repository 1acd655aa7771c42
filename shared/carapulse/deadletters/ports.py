"""What dead letters need from the world."""

from typing import Protocol

from carapulse.deadletters.model import DeadLetter, DeadLetterFilter
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.work import Work


class DeadLetters(Protocol):
    """The messages that were given up. Every call is within one tenant and one transaction."""

    def page(self, wanted: DeadLetterFilter) -> Page[DeadLetter]:
        """Return dead letters, the last to die first."""
        ...

    def get(self, message_id: str) -> DeadLetter:
        """Return the dead letter, or raise DeadLetterNotFound."""
        ...

    def lock(self, message_id: str) -> DeadLetter:
        """Return the dead letter, which nobody else can settle meanwhile; MessageNotDead for one on its way."""
        ...

    def revive(self, message_id: str) -> None:
        """Put a locked letter back into its queue, as if it had never been tried."""
        ...

    def discard(self, message_id: str) -> None:
        """Throw a locked letter away."""
        ...


class DeadLetterWork(Work, Protocol):
    """A unit of work that can reach dead letters."""

    @property
    def dead_letters(self) -> DeadLetters:
        """The dead letters within this unit."""
        ...


class DeadLetterPorts(Protocol):
    """Everything the area asks of the application."""

    def begin(self, call: Call) -> DeadLetterWork:
        """Open a unit of work for the caller's tenant."""
        ...
