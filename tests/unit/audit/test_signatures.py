"""Ed25519 and signed notes, against the vectors of RFC 8032, the C2SP page and Go's note package."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from carapulse.audit.note import Signer
from carapulse.audit.verifier import Key, UnusableError, verify_signature
from carapulse.kernel.errors import Invalid

RFC_8032 = [  # section 7.1, tests 1 to 3 and SHA(abc): public key, message, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ADVICE = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    ADVICE
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def vector(number: int) -> tuple[bytes, bytes, bytes]:
    public, message, signature = (bytes.fromhex(part) for part in RFC_8032[number])
    return public, message, signature


@pytest.mark.parametrize("number", range(4))
def test_the_signatures_of_rfc_8032_hold(number):
    assert verify_signature(*vector(number))


@pytest.mark.parametrize("number", range(4))
def test_a_signature_of_rfc_8032_holds_for_no_other_message(number):
    public, message, signature = vector(number)

    assert not verify_signature(public, message + b"\x00", signature)


def test_a_signature_with_the_group_order_added_to_its_scalar_is_refused():
    public, message, signature = vector(2)
    scalar = int.from_bytes(signature[32:], "little") + ORDER

    assert not verify_signature(public, message, signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "public", [b"", bytes(31), b"\xff" * 32, (2**255 - 18).to_bytes(32, "little"), b"\x02" + bytes(31)]
)
def test_what_is_no_point_of_the_curve_is_no_key(public):
    _, message, signature = vector(2)

    assert not verify_signature(public, message, signature)


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_it_agrees_with_the_cryptography_library_and_refuses_every_flipped_bit(seed, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert verify_signature(public, message, signature)
    assert not verify_signature(public, message, bytes(flipped))


def test_gos_note_is_signed_to_the_byte():
    signer = Signer.parse(PETERS_SECRET)

    assert signer.note(ADVICE) == NOTE
    assert str(signer.key) == PETER
    assert signer.text() == PETERS_SECRET


def test_a_verifier_key_is_read_and_written_alike():
    key = Key.parse(PETER + "\n")

    assert (key.name, key.id.hex(), str(key)) == ("PeterNeumann", "c74f20a3", PETER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "EnochRoot+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_not_a_verifier_key_is_refused(text):
    with pytest.raises(UnusableError):
        Key.parse(text)


@pytest.mark.parametrize("public", [b"\xff" * 32, (2**255 - 18).to_bytes(32, "little"), b"\x02" + bytes(31), bytes(31)])
def test_a_verifier_key_that_is_no_point_of_the_curve_is_refused(public):
    with pytest.raises(UnusableError):
        Key.parse(str(Key("someone", public)))


@pytest.mark.parametrize(
    "text", ["", "PRIVATE+KEY+x", PETERS_SECRET[:-1], PETERS_SECRET.replace("c74f", "c74e"), PETER]
)
def test_what_is_not_a_secret_key_is_refused(text):
    with pytest.raises(Invalid):
        Signer.parse(text)
