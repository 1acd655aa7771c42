"""The hash chain of one stream: every entry names the hash of the one before it. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from carapulse.audit.model import Entry, SealedEntry
from carapulse.audit.verifier import check_numbers
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.errors import Fault
from carapulse.kernel.event import Event
from carapulse.kernel.ids import new_id

_EXACT = 2**53  # what RFC 8785 takes as an integer is below


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


def sealed_row(event: Event, stream: str, call: Call, at: datetime, place: tuple[int, str]) -> dict[str, Any]:
    """Return an event as the log keeps it, with its hash, at a place: its number and the hash of the one before it."""
    row = {
        "tenant": call.tenant,
        "stream": stream,
        "seq": place[0],
        "id": new_id("event"),
        "type": event.type,
        "at": moment(at),
        "actor": call.actor.id,
        "trace": call.trace,
        "body": event.model_dump(mode="json"),
        "prev": place[1],
    }
    return {**row, "hash": hash_of(row)}


def verify_chain(events: Sequence[SealedEntry]) -> tuple[Fault, ...]:
    """Return what is wrong with a whole stream, in order; empty when it is as it was written.

    Codes: `changed` (does not match its hash), `added`, `missing`, `reordered` (its number), `unlinked` (names another
    predecessor). A cut tail leaves a shorter valid chain: compare the last hash with the stream's head or a checkpoint.
    """
    changed = {place for place, event in enumerate(events) if hash_of(envelope(event)) != event.hash}
    numbers = [None if place in changed else event.seq for place, event in enumerate(events)]
    count = max((number for number in numbers if number), default=len(events))
    found, places = check_numbers(numbers, count)
    found += [(place, "changed", "it does not match its hash") for place in changed]
    for number, place in places.items():
        before = places.get(number - 1)
        prev = "" if before is None else events[before].hash
        if place not in changed and (number == 1 or before is not None) and events[place].prev != prev:
            found.append((place, "unlinked", "it does not name the hash of the event before it"))
    return tuple(Fault(pointer=f"/{place}", code=code, detail=detail) for place, code, detail in sorted(found))


def as_hashed(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON with the numbers that were hashed: a large integer was a float, which is written out by whoever can."""
    return json.loads(text, parse_int=_number)


def _number(digits: str) -> float:
    number = int(digits)
    return number if abs(number) < _EXACT else float(digits)
