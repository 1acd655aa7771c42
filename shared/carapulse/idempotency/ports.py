"""What keys need from the world."""

from typing import Protocol

from carapulse.idempotency.model import Asked, Given, Held
from carapulse.kernel.call import Attempt, Call
from carapulse.kernel.sealing import Sealer
from carapulse.kernel.work import Work


class Keys(Protocol):
    """The keys of one actor, within one transaction."""

    def claim(self, asked: Asked, attempt: Attempt) -> bool:
        """Give the key to this attempt, if nobody has it or who had it is dead and wrote nothing; say whether."""
        ...

    def find(self, key: str) -> Held | None:
        """Return what a key was given to, or None."""
        ...

    def give_back(self, attempt: Attempt) -> bool:
        """Let the key be free if the attempt still has it and wrote nothing; say whether."""
        ...

    def keep(self, given: Given, sealed: str | None, attempt: Attempt) -> bool:
        """Keep the answer if the attempt still has the key; say whether."""
        ...


class KeyWork(Work, Protocol):
    """A unit of work that can reach the caller's keys."""

    @property
    def keys(self) -> Keys:
        """The keys within this unit."""
        ...


class KeyPorts(Protocol):
    """Everything the area asks of the application."""

    @property
    def sealer(self) -> Sealer:
        """Who keeps answers unreadable."""
        ...

    def begin(self, call: Call) -> KeyWork:
        """Open a unit of work for the caller's tenant."""
        ...
