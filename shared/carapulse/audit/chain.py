"""The hash chain of one stream: every entry names the hash of the one before it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from carapulse.audit.model import Entry, SealedEntry
from carapulse.kernel.canonical import digest
from carapulse.kernel.errors import Fault


def moment(at: datetime) -> str:
    """Return RFC 3339 in UTC with microseconds and Z: the only spelling of a moment that is hashed."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def envelope(entry: Entry) -> dict[str, Any]:
    """Return what is hashed: every field of the entry, and its moment spelled one way."""
    return {
        "tenant": entry.tenant,
        "stream": entry.stream,
        "seq": entry.seq,
        "id": entry.id,
        "type": entry.type,
        "at": moment(entry.at),
        "actor": entry.actor,
        "trace": entry.trace,
        "body": entry.body,
        "prev": entry.prev,
    }


def hash_of(sealed: Mapping[str, Any]) -> str:
    """Return `sha256:` and the hex SHA-256 of an envelope's canonical form."""
    return digest(dict(sealed))


def seal(entry: Entry) -> SealedEntry:
    """Return the entry with its hash."""
    return SealedEntry(**dict(entry), hash=hash_of(envelope(entry)))


def verify_chain(events: Sequence[SealedEntry]) -> tuple[Fault, ...]:
    """Return what is wrong with a whole stream, in order; empty when it is as it was written.

    Codes: `changed` (does not match its hash), `added`, `missing`, `reordered` (its number), `unlinked` (names another
    predecessor). A cut tail leaves a shorter valid chain: compare the last hash with the stream's head or a checkpoint.
    """
    faults: list[Fault] = []
    for index, event in enumerate(events):
        fault = _number_fault(events, index) or _link_fault(events, index)
        if hash_of(envelope(event)) != event.hash:
            fault = ("changed", f"event {event.id} does not match its hash")
        if fault:
            faults.append(Fault(pointer=f"/{index}", code=fault[0], detail=fault[1]))
    return tuple(faults)


def _number_fault(events: Sequence[SealedEntry], index: int) -> tuple[str, str] | None:
    event, before = events[index], events[index - 1].seq if index else 0
    if event.seq == before + 1:
        return None
    if event.seq <= before:
        repeated = any(other.seq == event.seq for other in events[:index])
        return ("added" if repeated else "reordered", f"event {event.id} is number {event.seq} and follows {before}")
    late = any(before < other.seq < event.seq for other in events[index + 1 :])
    return ("reordered" if late else "missing", f"event {event.id} is number {event.seq} and follows {before}")


def _link_fault(events: Sequence[SealedEntry], index: int) -> tuple[str, str] | None:
    event, before = events[index], events[index - 1].hash if index else ""
    if event.prev == before:
        return None
    return ("unlinked", f"event {event.id} names another predecessor than the event before it")
