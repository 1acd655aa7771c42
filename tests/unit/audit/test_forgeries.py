"""What even whoever holds the key can't make pass: readings in two ways, broken chains, checkpoints that are none."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.evidence import (
    KEY,
    SIGNER,
    START,
    a_bundle,
    a_stream,
    events_of,
    first_named,
    forged,
    hash_of_text,
    opened,
    seal,
    some_evidence,
)

from carapulse.audit.bundle import CoveredEvent, Evidence, bundle
from carapulse.audit.checkpoints import Checkpoint
from carapulse.audit.model import Entry
from carapulse.audit.note import Signer
from carapulse.audit.verifier import PAYLOAD_TYPE, verify

WHOLE = a_bundle()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def payload_of(content):
    return base64.b64decode(json.loads(content)["payload"])


def with_note(content, place, note, *, signed=True):
    """Return the bundle with one checkpoint's note replaced."""

    def change(statement):
        statement["predicate"]["checkpoints"][place] = note

    return forged(content, change, signed=signed)


def a_bundle_of(text):
    """Return a signed bundle whose only event is this text, covered by a checkpoint of its own."""
    whole = hash_of_text(text)
    checkpoint = Checkpoint.over([whole], None, START, SIGNER)

    def change(statement):
        row = {"event": text, "hash": whole, "checkpoint": 1, "leaf": 0, "proof": []}
        statement["predicate"] |= {"head": whole, "events": [row], "checkpoints": [checkpoint.note]}

    return forged(a_bundle(1), change, signed=True)


def evidence_of(events):
    """Return evidence of these events, all covered by one checkpoint."""
    hashes = tuple(event.hash for event in events)
    return Evidence(
        tenant="acme",
        stream="plan_1",
        count=len(events),
        head=events[-1].hash,
        events=tuple(CoveredEvent(event=event, checkpoint=1, leaf=leaf) for leaf, event in enumerate(events)),
        leaves={1: hashes},
        checkpoints=(Checkpoint.over(hashes, None, START, SIGNER),),
    )


def test_the_builder_of_single_events_makes_bundles_that_hold():
    assert verify(a_bundle_of(events_of(opened(a_bundle(1)))[0]["event"]), KEY).ok


@pytest.mark.parametrize(
    "spoil",
    [
        ('"actor":"ada"', '"actor":"eve","actor":"ada"'),
        ('"body":{', '"body":{"n":0,'),
        ('"n":[1,', '"n":[NaN,'),
        ('"seq":1,', '"seq":true,'),
        ('"seq":1,', ""),
    ],
)
def test_an_event_that_can_be_read_in_two_ways_or_none_is_no_event_even_if_a_checkpoint_covers_it(spoil):
    content = a_bundle_of(events_of(opened(a_bundle(1)))[0]["event"].replace(*spoil))

    assert first_named(verify(content, KEY)) == ("changed", 0)


def test_the_statement_may_not_say_a_thing_twice():
    payload = payload_of(WHOLE).replace(b'"count":6', b'"count":7,"count":6')

    report = verify(SIGNER.envelope(PAYLOAD_TYPE, payload), KEY)
    assert [fault.reason for fault in report.faults] == ["format"]


def test_another_kind_of_payload_is_refused():
    report = verify(SIGNER.envelope("text/plain", payload_of(WHOLE)), KEY)

    assert [fault.reason for fault in report.faults] == ["format"]


def test_true_is_no_number():
    count = forged(a_bundle(1), lambda statement: statement["predicate"].update(count=True), signed=True)
    leaf = forged(a_bundle(1), lambda statement: events_of(statement)[0].update(leaf=False), signed=True)

    assert not verify(count, KEY).ok
    assert not verify(leaf, KEY).ok


def test_base64_has_one_spelling():
    def change(statement):
        proof = events_of(statement)[3]["proof"]
        proof[0] = proof[0][:42] + ALPHABET[ALPHABET.index(proof[0][42]) ^ 1] + "="

    assert first_named(verify(forged(WHOLE, change, signed=True), KEY)) == ("proof", 3)


def test_an_event_that_names_another_predecessor_is_unlinked():
    events = a_stream("plan_1", 4)
    fields = events[3].model_dump(exclude={"hash"}) | {"prev": events[0].hash}
    spliced = [*events[:3], seal(Entry.model_validate(fields))]

    report = verify(bundle(evidence_of(spliced), SIGNER), KEY)
    assert [(fault.reason, fault.index) for fault in report.faults] == [("unlinked", 3)]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 5))
def test_of_two_events_with_one_number_the_one_without_proof_is_the_one_too_many(place):
    def change(statement):
        row = events_of(statement)[place]
        event = row["event"].replace('"actor":"ada"', '"actor":"eve"')
        events_of(statement).insert(place, row | {"event": event, "hash": hash_of_text(event)})

    report = verify(forged(WHOLE, change, signed=True), KEY)
    assert {(fault.reason, fault.index) for fault in report.faults} == {("proof", place), ("added", place)}


def test_a_checkpoint_must_name_the_hash_of_the_one_before_it():
    first, second = some_evidence().checkpoints[:2]
    other = first.model_copy(update={"note": SIGNER.note("another\n")})
    spliced = Checkpoint.over(["sha256:" + "0" * 64], other, second.at, SIGNER)

    report = verify(with_note(WHOLE, 1, spliced.note), KEY)
    assert ("checkpoint", 2) in [(fault.reason, fault.checkpoint) for fault in report.faults]


@pytest.mark.parametrize(
    "spoil",
    [
        ("PeterNeumann\n", "carapulse.dev/log/other\n"),
        ("previous none", "previous sha256:" + "0" * 64),
        ("number 1\n", "number 01\n"),
        ("number 1\n", "number 1\nmore\n"),
    ],
)
def test_what_the_key_signed_is_no_checkpoint_unless_it_is_written_as_one(spoil):
    text = some_evidence(1).checkpoints[0].note.rpartition("\n\n")[0] + "\n"

    report = verify(with_note(a_bundle(1), 0, SIGNER.note(text.replace(*spoil))), KEY)
    assert [fault.reason for fault in report.faults] == ["checkpoint", "proof"]


@pytest.mark.parametrize(
    "tail", ["\u2014 PeterNeumann x08go\n", "\u2014 PeterNeumann *\n", "\u2014 PeterNeumann x08go", "x"]
)
def test_a_checkpoint_with_a_broken_signature_line_is_refused_and_never_an_accident(tail):
    note = some_evidence(1).checkpoints[0].note + tail

    report = verify(with_note(a_bundle(1), 0, note), KEY)
    assert [fault.reason for fault in report.faults] == ["checkpoint", "proof"]


def test_a_checkpoint_that_others_signed_too_holds():
    also = Signer.new("witness.example").note("x\n").rpartition("\n\n")[2]
    note = some_evidence(1).checkpoints[0].note + also

    assert verify(with_note(a_bundle(1), 0, note), KEY).ok
