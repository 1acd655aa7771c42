"""What is not written as a bundle is refused with a reason, never with an accident."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.evidence import DIGEST, KEY, a_bundle, forged

from carapulse.audit.verifier import MAX_BYTES, verify
from carapulse.kernel.canonical import canonical

WHOLE = a_bundle()


@pytest.mark.parametrize(
    "subject",
    [[], [{"name": "plan_1", "digest": {"sha256": "b" * 64}}], [{"name": "plan_2", "digest": {"sha256": DIGEST}}]],
)
def test_the_subject_is_the_plan_and_its_digest(subject):
    report = verify(forged(WHOLE, lambda statement: statement.update(subject=subject), signed=True), KEY)

    assert {fault.reason for fault in report.faults} == {"changed"}


@pytest.mark.parametrize(("field", "value"), [("_type", "x"), ("predicateType", "https://carapulse.dev/change/v0")])
def test_another_kind_of_statement_is_refused(field, value):
    report = verify(forged(WHOLE, lambda statement: statement.update({field: value}), signed=True), KEY)

    assert [fault.reason for fault in report.faults] == ["format"]


@pytest.mark.parametrize("value", [None, 1, True, 1.5, "x", [], {}, [[]], [{}], {"x": 1}])
@pytest.mark.parametrize(
    "path",
    ["predicate", "predicate.events", "predicate.events.2", "predicate.events.2.proof", "predicate.count", "subject"],
)
def test_a_wrong_type_is_a_fault_and_never_an_accident(path, value):
    def change(statement):
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            statement = statement[part]
        statement[last] = value

    report = verify(forged(WHOLE, change, signed=True), KEY)
    assert not report.ok
    assert "events.2" not in path or any(fault.index == 2 for fault in report.faults)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"payload":"","payload":"","payloadType":"","signatures":[]}',
        b'{"payload":"","payloadType":"","signatures":[]}',
        b'{"payload":"\\ud800","payloadType":"","signatures":[]}',
        b'{"payload":"bnVsbA==","payloadType":"\\ud800","signatures":[]}',
        b'{"payload":NaN,"payloadType":"","signatures":[]}',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_what_is_no_bundle_is_refused_with_a_reason(content):
    report = verify(content, KEY)

    assert {fault.reason for fault in report.faults} <= {"format", "signature"}
    assert not report.ok


def test_a_bundle_that_is_too_large_is_not_even_read():
    (fault,) = verify(b" " * (MAX_BYTES + 1), KEY).faults

    assert "larger than" in fault.detail


@given(st.binary(max_size=300))
def test_rubbish_is_refused_with_a_reason(content):
    assert not verify(content, KEY).ok


def test_a_second_signature_is_not_allowed():
    envelope = json.loads(WHOLE)
    envelope["signatures"].append({"keyid": "other+00000000", "sig": base64.b64encode(bytes(64)).decode()})

    assert not verify(canonical(envelope), KEY).ok
