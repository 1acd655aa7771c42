"""Signing: C2SP signed notes and DSSE envelopes, with an Ed25519 key. `carapulse.audit.verifier` checks both.

One key may sign both, because what it signs never looks alike: a note begins with the key's name, an envelope with
DSSEv1.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from carapulse.audit.verifier import Key
from carapulse.kernel.canonical import canonical
from carapulse.kernel.errors import Invalid

_ALGORITHM = b"\x01"  # Ed25519 in C2SP's list of signature types
_PREFIX = "PRIVATE+KEY+"


class EvidenceKey(Protocol):
    """What signs checkpoints and bundles, wherever its private half lies."""

    @property
    def key(self) -> Key:
        """The verifier key, to be handed to auditors."""
        ...

    def note(self, text: str) -> str:
        """Return a text that ends in a newline, as a signed note (c2sp.org/signed-note)."""
        ...

    def envelope(self, kind: str, payload: bytes) -> bytes:
        """Return a payload in a DSSE 1.0 envelope, as canonical JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """A named Ed25519 key that can sign."""

    name: str
    _private: Ed25519PrivateKey

    @classmethod
    def new(cls, name: str) -> Self:
        """Make a key. The name has no spaces and no plus; an address without a scheme is usual."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PRIVATE+KEY+name+hash+base64`, the form that Go's note tools write; raises Invalid for any other."""
        try:
            name, _, encoded = text.strip().removeprefix(_PREFIX).split("+", 2)
            seed = base64.b64decode(encoded, validate=True)[1:]
            signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        except ValueError:
            raise Invalid("the evidence key is not of the form PRIVATE+KEY+name+hash+base64") from None
        if signer.text() != text.strip():
            raise Invalid("the evidence key's hash does not match it")
        return signer

    @property
    def key(self) -> Key:
        """The verifier key, to be handed to auditors."""
        return Key(self.name, self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def text(self) -> str:
        """Return the secret form, to be kept in a file that nobody else can read."""
        seed = self._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return f"{_PREFIX}{self.name}+{self.key.id.hex()}+{base64.b64encode(_ALGORITHM + seed).decode()}"

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature (RFC 8032)."""
        return self._private.sign(message)

    def note(self, text: str) -> str:
        """Return a text as a signed note."""
        return signed_note(self.key, text, self.sign)

    def envelope(self, kind: str, payload: bytes) -> bytes:
        """Return a payload in a signed envelope."""
        return signed_envelope(self.key, kind, payload, self.sign)


def signed_note(key: Key, text: str, sign: Callable[[bytes], bytes]) -> str:
    """Return a text that ends in a newline, as a signed note (c2sp.org/signed-note)."""
    signature = base64.b64encode(key.id + sign(text.encode())).decode()
    return f"{text}\n\u2014 {key.name} {signature}\n"


def signed_envelope(key: Key, kind: str, payload: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a payload in a DSSE 1.0 envelope, as canonical JSON."""
    signed = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    signature = {"keyid": f"{key.name}+{key.id.hex()}", "sig": base64.b64encode(sign(signed)).decode()}
    return canonical({"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": [signature]})
