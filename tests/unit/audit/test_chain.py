"""The chain of one stream says which event was touched, and how."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

from tests.builders.evidence import seal

from carapulse.audit.chain import envelope, hash_of, moment, verify_chain
from carapulse.audit.model import Entry, SealedEntry

NOON = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


def a_stream(length: int = 4) -> list[SealedEntry]:
    entries: list[SealedEntry] = []
    for seq in range(1, length + 1):
        prev = entries[-1].hash if entries else ""
        entries.append(seal(an_entry(seq=seq, id=f"event_{seq}", prev=prev)))
    return entries


def an_entry(**changes) -> Entry:
    fields = {
        "tenant": "acme",
        "stream": "plan_1",
        "seq": 1,
        "id": "event_1",
        "type": "PlanDrafted",
        "at": NOON,
        "actor": "ada",
        "trace": "0" * 32,
        "body": {"risk": "low"},
        "prev": "",
    }
    return Entry.model_validate(fields | changes)


def found(events) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in verify_chain(events)]


def test_a_moment_is_spelled_in_utc_with_microseconds_wherever_it_was_taken():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert moment(elsewhere) == "2026-03-01T12:00:00.000005Z"


def test_the_hash_is_over_the_canonical_bytes_of_the_whole_envelope():
    written = (
        '{"actor":"ada","at":"2026-03-01T12:00:00.000005Z","body":{"risk":"low"},"id":"event_1","prev":"","seq":1,'
        '"stream":"plan_1","tenant":"acme","trace":"00000000000000000000000000000000","type":"PlanDrafted"}'
    )

    assert hash_of(envelope(an_entry())) == "sha256:" + hashlib.sha256(written.encode()).hexdigest()


def test_every_field_is_part_of_the_hash():
    plain = hash_of(envelope(an_entry()))
    others = {
        "tenant": "other",
        "stream": "plan_2",
        "seq": 2,
        "id": "event_2",
        "type": "PlanApproved",
        "at": NOON + timedelta(microseconds=1),
        "actor": "bob",
        "trace": "1" * 32,
        "body": {"risk": "high"},
        "prev": "sha256:00",
    }

    assert set(others) == set(Entry.model_fields)
    assert all(hash_of(envelope(an_entry(**{name: value}))) != plain for name, value in others.items())


def test_a_stream_as_it_was_written_has_no_faults():
    assert found(a_stream()) == []


def test_a_changed_event_is_named():
    events = a_stream()
    events[2] = events[2].model_copy(update={"body": {"risk": "read"}})

    assert found(events) == [("/2", "changed")]


def test_a_changed_event_with_a_new_hash_breaks_the_link_after_it():
    events = a_stream()
    events[1] = resealed(events[1])

    assert found(events) == [("/2", "unlinked")]


def resealed(event: SealedEntry) -> SealedEntry:
    fields = event.model_dump(exclude={"hash"}) | {"body": {"risk": "read"}}
    return seal(Entry.model_validate(fields))


def test_a_missing_event_is_named_by_the_one_that_follows_the_gap():
    events = a_stream()
    del events[1]

    assert found(events) == [("/1", "missing")]


def test_a_missing_first_event_is_named():
    assert found(a_stream()[1:]) == [("/0", "missing")]


def test_a_repeated_event_is_named_as_added():
    events = a_stream()
    events.insert(2, events[1])

    assert found(events) == [("/2", "added")]


def test_swapped_events_are_named_as_reordered():
    events = a_stream()
    events[1], events[2] = events[2], events[1]

    assert ("/1", "reordered") in found(events)
    assert ("/2", "reordered") in found(events)
