"""What evidence asks of the application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from carapulse.audit.archives import Archive, PlacedEntry, Stretch
from carapulse.audit.bundle import Evidence
from carapulse.audit.checkpoints import Checkpoint
from carapulse.audit.model import EventFilter, EventQuery, Head, SealedEntry
from carapulse.audit.note import EvidenceKey
from carapulse.audit.verifier import Key
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page
from carapulse.kernel.work import Work

Place = tuple[datetime, int]
"""Where an event is among all others: its moment, and its place in the log."""


class Fresh(Protocol):
    """The events that no checkpoint covers yet and that nothing can still be added among."""

    @property
    def hashes(self) -> Sequence[str]:
        """Their hashes, in the order of the log, of all tenants."""
        ...


class EvidenceLog(Protocol):
    """The log, read as evidence, in one transaction. Events are the caller's tenant's; checkpoints are everybody's."""

    def lock_checkpoints(self) -> None:
        """Be the only one who makes a checkpoint until the transaction ends."""
        ...

    def fresh(self) -> Fresh:
        """Return what the next checkpoint must cover."""
        ...

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, if there is one."""
        ...

    def add_checkpoint(self, checkpoint: Checkpoint, fresh: Fresh) -> None:
        """Keep a checkpoint and what it covers."""
        ...

    def head(self, stream: str) -> Head:
        """Return where a stream ends, or raise NoSuchEvidence."""
        ...

    def first(self, head: Head) -> int:
        """Return the number of a stream's first event that is in the log; one past the head if none is."""
        ...

    def evidence(self, head: Head, archived: Sequence[PlacedEntry] = ()) -> Evidence | None:
        """Return all evidence of a stream up to a head, or None while an event is not covered yet."""
        ...

    def wait_a_moment(self) -> None:
        """Give older transactions some milliseconds to end."""
        ...

    def page(self, wanted: EventFilter) -> Page[SealedEntry]:
        """Return events, the newest first."""
        ...

    def after(self, place: Place | None, wanted: EventQuery, limit: int) -> Sequence[tuple[Place, SealedEntry]]:
        """Return the first events behind a place, the oldest first, each with its own place."""
        ...


class Archives(Protocol):
    """What left the log of the caller's tenant, and what may leave everybody's, in one transaction."""

    def may_go(self, before: datetime) -> Stretch | None:
        """Return the oldest stretch of the log, if all of it is older, covered by checkpoints and at rest."""
        ...

    def next_of(self, stretch: Stretch, limit: int) -> Sequence[PlacedEntry]:
        """Return the tenant's first events in a stretch that are in no archive yet."""
        ...

    def add(self, archive: Archive) -> None:
        """Note an archive; Conflict if somebody else was first."""
        ...

    def newest_first(self) -> Sequence[Archive]:
        """Return all archives of the tenant."""
        ...

    def drop(self, stretch: Stretch, before: datetime) -> None:
        """Let a stretch go, which is refused unless it may go and every event in it is archived as it is."""
        ...


class AuditWork(Work, Protocol):
    """A unit of work that can reach the log."""

    @property
    def archives(self) -> Archives:
        """The archives within this unit."""
        ...

    @property
    def evidence(self) -> EvidenceLog:
        """The log within this unit."""
        ...


class AuditPorts(Protocol):
    """Everything the audit area asks of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def evidence_key(self) -> EvidenceKey:
        """The installation's key for checkpoints and bundles."""
        ...

    @property
    def former_evidence_keys(self) -> Sequence[Key]:
        """The keys that it had before, the newest first."""
        ...

    @property
    def archive_blobs(self) -> Blobs:
        """Where archives are kept."""
        ...

    def begin(self, call: Call) -> AuditWork:
        """Open a unit of work for the caller's tenant."""
        ...
