"""An evidence key at AWS KMS: what it signs verifies offline, whatever its length, and what is missing is said."""

from hashlib import sha512

import pytest
from tests.builders.evidence import some_evidence
from tests.world.kms import ALIAS, a_kms, prehashed

from carapulse.adapters.aws.kms import KmsKey
from carapulse.audit.bundle import bundle
from carapulse.audit.verifier import Key, open_checkpoint, verify, verify_prehashed, verify_signature
from carapulse.kernel.errors import Invalid, Unavailable

# RFC 8032 section 7.3
SEED = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
PUBLIC = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
SIGNATURE = bytes.fromhex(
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
)


@pytest.fixture
def kms():
    with a_kms() as server:
        yield server


def test_the_prehashed_signature_of_rfc_8032_holds_for_its_message_and_in_its_own_way_alone():
    assert verify_prehashed(PUBLIC, b"abc", SIGNATURE)
    assert not verify_prehashed(PUBLIC, b"abd", SIGNATURE)
    assert not verify_signature(PUBLIC, b"abc", SIGNATURE)
    assert not verify_signature(PUBLIC, sha512(b"abc").digest(), SIGNATURE)


def test_the_key_service_of_these_tests_signs_as_rfc_8032_says():
    assert prehashed(SEED, sha512(b"abc").digest()) == SIGNATURE


def test_a_bundle_of_checkpoints_that_kms_signed_verifies_offline(kms):
    key = KmsKey.connect(ALIAS)
    evidence = some_evidence(signers=[key])
    content = bundle(evidence, key)

    assert verify(content, str(key.key)).faults == ()
    assert Key.parse(str(key.key)) == key.key
    assert [each["SigningAlgorithm"] for each in kms.asked if each["action"] == "Sign"] == [
        *["ED25519_SHA_512"] * len(evidence.checkpoints),
        "ED25519_PH_SHA_512",
    ]


def test_a_note_is_never_signed_by_its_hash(kms):
    key = KmsKey.connect(ALIAS)

    with pytest.raises(Invalid):
        key.note("x" * 4096 + "\n")
    assert "checkpoint of this log" in told(key, key.note("short\n"))


def told(key, note):
    with pytest.raises(Exception, match="signed") as error:
        open_checkpoint(note, key.key)
    return str(error.value)


def test_a_key_stays_itself_while_its_alias_is_pointed_elsewhere_and_the_next_process_has_the_new_one(kms):
    old = KmsKey.connect(ALIAS)
    before = some_evidence(signers=[old])
    kms.rotate()
    new = KmsKey.connect(ALIAS)

    after = some_evidence(signers=[old, new])

    assert str(old.key) != str(new.key)
    assert verify(bundle(before, old), str(old.key)).ok
    assert verify(bundle(after, new), f"{new.key}\n{old.key}\n").ok


def test_a_key_that_is_not_there_is_a_wrong_setting_and_one_that_is_disabled_a_failure(kms):
    with pytest.raises(Invalid, match="no such key"):
        KmsKey.connect("alias/another").key  # noqa: B018 - asks
    kms.disabled = True
    with pytest.raises(Unavailable) as refused:
        KmsKey.connect(ALIAS).note("x\n")
    assert refused.value.facts["code"] == "DisabledException"
