"""What keys need from the world."""

from datetime import datetime
from typing import Protocol

from carapulse.apikeys.model import ApiKey
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Marker
from carapulse.kernel.work import Work


class ApiKeyFilter(Wanted):
    """Which page of keys is wanted."""


class Mark(Record):
    """What a key's whole text is known by, and the id of the sealing key that made it; None where nobody noted it."""

    text: str
    made_by: str | None


class KnownKey(Record):
    """A key as it is found by its prefix, whosever it is, with the mark that its whole text must have."""

    tenant: str
    mark: Mark
    key: ApiKey


class KeyDirectory(Protocol):
    """Knows every tenant's keys: the question that is asked before the tenant is known."""

    def find(self, prefix: str) -> KnownKey | None:
        """Return the key with this prefix as it is at this very moment, also one that is over, or None. It blocks."""
        ...

    def note_use(self, known: KnownKey, at: datetime) -> None:
        """Remember that the key was used. It blocks."""
        ...

    def mark_anew(self, known: KnownKey, mark: Mark, at: datetime) -> None:
        """Remember another mark of a key whose text was seen, and that it was used. It blocks."""
        ...


class ApiKeys(Protocol):
    """Where keys are kept. Every call is within one tenant, one scope and one transaction."""

    def add(self, key: ApiKey, mark: Mark) -> None:
        """Keep a new key; Conflict if its prefix was given out before."""
        ...

    def get(self, key_id: str) -> ApiKey:
        """Return the key, or raise ApiKeyNotFound."""
        ...

    def lock(self, key_id: str) -> ApiKey:
        """Return the key and keep everybody else from changing it until the transaction ends."""
        ...

    def end(self, key: ApiKey) -> None:
        """Keep when and why the key ends, and what follows it."""
        ...

    def page(self, wanted: ApiKeyFilter) -> Page[ApiKey]:
        """Return keys, the newest first."""
        ...


class ApiKeyWork(Work, Protocol):
    """A unit of work that can reach keys."""

    @property
    def api_keys(self) -> ApiKeys:
        """The keys within this unit."""
        ...


class ApiKeyPorts(Protocol):
    """Everything that keys ask of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def sealer(self) -> Marker:
        """Who makes marks."""
        ...

    def begin(self, call: Call) -> ApiKeyWork:
        """Open a unit of work for the caller's tenant."""
        ...
