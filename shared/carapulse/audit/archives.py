"""Archives: a tenant's events of one stretch of the log, as gzip of JSON Lines, with what a verifier needs. Pure."""

import gzip
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Self

from pydantic import AwareDatetime, Field

from carapulse.audit.chain import as_hashed, envelope
from carapulse.audit.model import SealedEntry
from carapulse.kernel.canonical import canonical
from carapulse.kernel.event import Event
from carapulse.kernel.record import Record

STREAM = "event_archives"


class PlacedEntry(Record):
    """One event, and where in the log of all tenants it is or was."""

    position: int
    event: SealedEntry


class Stretch(Record):
    """Positions of the log that may go, from low to below high, and whose events are there."""

    low: int
    high: int
    tenants: tuple[str, ...]


class Archive(Record):
    """What is kept of events that left the log, and where."""

    first: int = Field(description="the position of the first event in it")
    last: int
    count: int
    digest: str = Field(description="the blob with the events, one canonical JSON object a line, in gzip")
    contents: str = Field(description="the SHA-256 of their hashes, one after the other, by which the log compares")
    at: AwareDatetime

    @classmethod
    def of(cls, entries: Sequence[PlacedEntry], digest: str, at: datetime) -> Self:
        """Describe the archive of these events."""
        hashes = "".join(entry.event.hash for entry in entries)
        contents = "sha256:" + sha256(hashes.encode()).hexdigest()
        first, last = entries[0].position, entries[-1].position
        return cls(first=first, last=last, count=len(entries), digest=digest, contents=contents, at=at)


class EventsArchived(Event):
    """Old events were archived, so that they can leave the log."""

    first: int
    last: int
    count: int
    digest: str

    @classmethod
    def of(cls, archive: Archive) -> Self:
        """Return the fact that an archive was made."""
        return cls(first=archive.first, last=archive.last, count=archive.count, digest=archive.digest)


def packed(entries: Sequence[PlacedEntry]) -> bytes:
    """Return the archive's bytes; the same events give the same bytes."""
    lines = (
        canonical({"position": entry.position, "hash": entry.event.hash, **envelope(entry.event)}) for entry in entries
    )
    return gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)


def unpacked(content: bytes, stream: str) -> Iterator[PlacedEntry]:
    """Return the events of one stream, in order. Lines of others are passed over before they are read."""
    spelled = b'"stream":' + canonical(stream)
    for line in gzip.decompress(content).splitlines():
        if spelled in line:
            fields = as_hashed(line.decode())
            position = fields.pop("position")
            event = SealedEntry.model_validate(fields)
            if event.stream == stream:
                yield PlacedEntry(position=position, event=event)
