"""A log whose key was changed: what the old key signed stays good, and it can sign nothing new."""

import pytest
from tests.builders.evidence import SIGNER, some_evidence

from carapulse.audit.bundle import bundle
from carapulse.audit.note import Signer
from carapulse.audit.verifier import UnusableError, verify

NEW = Signer.new("carapulse.dev/log/new")
NEWEST = Signer.new("carapulse.dev/log/newest")
KEYS = f"{NEWEST.key}\n{NEW.key}\n{SIGNER.key}\n"


def reasons(report):
    return {fault.reason for fault in report.faults}


def test_a_bundle_that_spans_changes_of_the_key_verifies():
    content = bundle(some_evidence(signers=[SIGNER, NEW, NEWEST]), NEWEST)

    assert verify(content, KEYS).faults == ()


def test_each_key_of_the_span_is_needed():
    content = bundle(some_evidence(signers=[SIGNER, NEW, NEWEST]), NEWEST)

    assert "checkpoint" in reasons(verify(content, f"{NEWEST.key}\n{SIGNER.key}\n"))


def test_an_old_key_signs_no_checkpoint_after_a_newer_one_did():
    content = bundle(some_evidence(signers=[SIGNER, NEW, SIGNER, NEWEST]), NEWEST)

    assert "checkpoint" in reasons(verify(content, KEYS))


def test_an_old_key_signs_no_bundle():
    content = bundle(some_evidence(signers=[SIGNER, NEW]), NEW)

    assert verify(content, f"{NEW.key}\n{SIGNER.key}").ok
    assert reasons(verify(content, KEYS)) == {"signature"}


def test_a_checkpoint_that_was_kept_under_an_old_key_is_found_in_the_bundle():
    evidence = some_evidence(signers=[SIGNER, NEW, NEWEST])

    assert verify(bundle(evidence, NEWEST), KEYS, witness=evidence.checkpoints[0].note).ok


@pytest.mark.parametrize(
    "keys",
    [f"{NEW.key}\n\n{SIGNER.key}", f"{NEW.key}\n{NEW.key}", f"{NEW.key}\nno key", "\n"],
    ids=["an empty line", "one name twice", "no key", "nothing"],  # processes of one run must collect equal names
)
def test_a_list_that_holds_what_is_no_key_or_one_name_twice_is_refused(keys):
    with pytest.raises(UnusableError):
        verify(b"{}", keys)
