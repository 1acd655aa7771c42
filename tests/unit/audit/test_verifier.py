"""A bundle as it was made verifies; touched in any way it does not, and the verifier names what was touched."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.evidence import (
    DIGEST,
    KEY,
    SIGNER,
    a_bundle,
    a_stream,
    events_of,
    first_named,
    forged,
    hash_of_text,
    opened,
    some_evidence,
)

from carapulse.audit.bundle import bundle
from carapulse.audit.note import Signer
from carapulse.audit.verifier import Report, verify

WHOLE = a_bundle()
places = st.integers(0, 5)
signed = st.booleans()
few = settings(max_examples=10, deadline=None)


def places_named(report: Report, reason: str) -> set[int | None]:
    return {fault.index for fault in report.faults if fault.reason == reason}


@pytest.mark.parametrize("length", [1, 2, 3, 9])
def test_a_bundle_as_it_was_made_verifies(length):
    report = verify(a_bundle(length), KEY)

    assert report.faults == ()
    assert (report.plan_id, report.tenant, report.digest, report.count) == ("plan_1", "acme", DIGEST, length)
    assert report.head == a_stream("plan_1", length)[-1].hash


def scalars(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (holder, name or place) of every text and number in a JSON value."""
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            yield from scalars(item)
        else:
            yield value, name


SCALARS = len(list(scalars(opened(WHOLE))))


@pytest.mark.parametrize("number", range(SCALARS))
def test_no_text_or_number_is_free_to_change_even_for_whoever_can_sign(number):
    def change(statement):
        holder, name = list(scalars(statement))[number]
        holder[name] = holder[name] + (1 if isinstance(holder[name], int) else "x")

    assert not verify(forged(WHOLE, change, signed=True), KEY).ok


def test_another_key_of_the_same_name_proves_nothing():
    other = Signer.new(SIGNER.name)

    assert "signature" in {fault.reason for fault in verify(WHOLE, str(other.key)).faults}
    assert not verify(WHOLE, str(other.key)).ok


@few
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
def test_no_bit_of_the_file_can_be_flipped(place, bit):
    content = bytearray(WHOLE)
    content[place] ^= 1 << bit

    assert not verify(bytes(content), KEY).ok


@few
@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_was_cut_off_does_not_verify(length):
    assert not verify(WHOLE[:length], KEY).ok


@pytest.mark.parametrize("tail", [b"\n", b" ", b"{}", b"\x00"])
def test_nothing_may_follow_the_bundle(tail):
    assert not verify(WHOLE + tail, KEY).ok


@few
@given(places, st.data(), signed)
def test_a_changed_character_of_an_event_is_found_at_that_event(place, data, signed):
    def change(statement):
        row = events_of(statement)[place]
        at = data.draw(st.integers(0, len(row["event"]) - 1))
        put = data.draw(st.sampled_from('x0"{ ').filter(lambda new: new != row["event"][at]))
        row["event"] = row["event"][:at] + put + row["event"][at + 1 :]

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("changed", place)


@few
@given(places, signed)
def test_a_changed_hash_is_found_at_its_event(place, signed):
    def change(statement):
        events_of(statement)[place]["hash"] = "sha256:" + "0" * 64

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("changed", place)


@few
@given(places, signed)
def test_an_event_with_a_new_hash_to_match_is_not_in_its_checkpoint(place, signed):
    def change(statement):
        row = events_of(statement)[place]
        row["event"] = row["event"].replace('"actor":"ada"', '"actor":"eve"')
        row["hash"] = hash_of_text(row["event"])

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("proof", place)


@few
@given(places, signed)
def test_a_dropped_event_is_missing_where_it_was(place, signed):
    report = verify(forged(WHOLE, lambda statement: events_of(statement).pop(place), signed=signed), KEY)

    assert first_named(report) == ("missing", place)
    assert f"number {place + 1} is missing" in next(
        fault.detail for fault in report.faults if fault.reason == "missing"
    )


@few
@given(st.integers(1, 6), signed)
def test_a_cut_tail_is_missing(kept, signed):
    def change(statement):
        del events_of(statement)[6 - kept :]

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("missing", 6 - kept)


def test_a_cut_tail_with_count_and_head_to_match_needs_the_signature():
    def change(statement):
        events_of(statement).pop()
        statement["predicate"] |= {"count": 5, "head": events_of(statement)[-1]["hash"]}

    assert [fault.reason for fault in verify(forged(WHOLE, change), KEY).faults] == ["signature"]


@few
@given(places, places, signed)
def test_an_event_that_stands_twice_is_added(place, at, signed):
    def change(statement):
        events_of(statement).insert(at, events_of(statement)[place])

    found = places_named(verify(forged(WHOLE, change, signed=signed), KEY), "added")
    assert found & {at, place, place + 1}


@few
@given(places, signed)
def test_an_event_of_another_plan_is_added(at, signed):
    foreign = opened(a_bundle(stream="plan_2"))

    def change(statement):
        events_of(statement).insert(at, events_of(foreign)[at])

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("added", at)


@few
@given(places, places.filter(bool), signed)
def test_swapped_events_are_both_named_and_no_other(one, distance, signed):
    two = (one + distance) % 6

    def change(statement):
        rows = events_of(statement)
        rows[one], rows[two] = rows[two], rows[one]

    report = verify(forged(WHOLE, change, signed=signed), KEY)
    assert {fault.index for fault in report.faults if fault.index is not None} == {one, two}
    assert places_named(report, "reordered") == {one, two}


@few
@given(places, st.sampled_from(["checkpoint", "leaf"]), st.sampled_from([-1, 1, 2**70]), signed)
def test_an_event_is_only_where_its_checkpoint_has_it(place, field, by, signed):
    def change(statement):
        events_of(statement)[place][field] += by

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("proof", place)


@few
@given(places, st.sampled_from(["drop", "double", "swap", "spoil"]), signed)
def test_a_changed_proof_is_found_at_its_event(place, how, signed):
    def change(statement):
        proof = events_of(statement)[place]["proof"]
        events_of(statement)[place]["proof"] = {
            "drop": proof[1:],
            "double": [proof[0], *proof],
            "swap": proof[::-1],
            "spoil": ["*", *proof[1:]],
        }[how]

    assert first_named(verify(forged(WHOLE, change, signed=signed), KEY)) == ("proof", place)


@few
@given(st.integers(0, 3), st.data(), signed)
def test_a_changed_character_of_a_checkpoint_is_found_at_that_checkpoint(place, data, signed):
    def change(statement):
        notes = statement["predicate"]["checkpoints"]
        at = data.draw(st.integers(0, len(notes[place]) - 1))
        put = data.draw(st.sampled_from("xA0 \n").filter(lambda new: new != notes[place][at]))
        notes[place] = notes[place][:at] + put + notes[place][at + 1 :]

    report = verify(forged(WHOLE, change, signed=signed), KEY)
    assert any(f"checkpoint at place {place}:" in fault.detail for fault in report.faults)


@few
@given(st.integers(0, 2), signed)
def test_a_dropped_checkpoint_is_found(place, signed):
    report = verify(
        forged(WHOLE, lambda statement: statement["predicate"]["checkpoints"].pop(place), signed=signed), KEY
    )

    assert places_named(report, "proof") == {2 * place, 2 * place + 1}
    assert place == 0 or any(fault.checkpoint == place + 2 for fault in report.faults)


@few
@given(st.permutations(range(4)).filter(lambda order: list(order) != [0, 1, 2, 3]), signed)
def test_checkpoints_in_another_order_are_found(order, signed):
    def change(statement):
        notes = statement["predicate"]["checkpoints"]
        statement["predicate"]["checkpoints"] = [notes[place] for place in order]

    report = verify(forged(WHOLE, change, signed=signed), KEY)
    assert any(fault.reason == "checkpoint" for fault in report.faults)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plan_id", "plan_2"),
        ("tenant", "other"),
        ("count", 5),
        ("count", 7),
        ("count", 10**30),
        ("count", 0),
        ("head", "sha256:0"),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_every_claim_about_the_stream_is_checked(field, value, signed):
    def change(statement):
        statement["predicate"][field] = value

    assert {fault.reason for fault in verify(forged(WHOLE, change, signed=signed), KEY).faults} - {"signature"}


def test_a_checkpoint_that_was_kept_elsewhere_must_be_in_the_bundle():
    kept = some_evidence().checkpoints[1].note
    rewritten = some_evidence(7).checkpoints[3].note

    assert verify(WHOLE, KEY, witness=kept).ok
    assert [fault.reason for fault in verify(WHOLE, KEY, witness=rewritten).faults] == ["witness"]
    assert [fault.reason for fault in verify(WHOLE, KEY, witness="rubbish").faults] == ["witness"]


def test_a_log_that_was_tampered_with_is_exported_as_it_is_and_the_event_is_named():
    evidence = some_evidence()
    touched = evidence.events[3].event.model_copy(update={"actor": "eve"})
    events = (*evidence.events[:3], evidence.events[3].model_copy(update={"event": touched}), *evidence.events[4:])

    report = verify(bundle(evidence.model_copy(update={"events": events}), SIGNER), KEY)
    assert [(fault.reason, fault.index, fault.id) for fault in report.faults] == [("changed", 3, "event_plan_1_4")]
