"""Sealing of secrets that must come back: AES-256-GCM with a key that lies outside the database."""

import base64
import binascii
import hmac
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carapulse.identity.keyfile import keep_once, read_private
from carapulse.kernel.errors import Invalid, Unavailable

KEY_FILE = "sealing-key"

_VERSION = "v1."
_KEY_BYTES = 32
_NONCE_BYTES = 12
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_MARKING = b"carapulse marks"  # a key for each use of the one key


@dataclass(frozen=True, slots=True)
class AesGcmSealer:
    """Seals text for one purpose. Who holds only the database, or only the key file, can read nothing."""

    key: bytes = field(repr=False)

    @classmethod
    def load_or_make(cls, folder: Path) -> Self:
        """Return the sealer of this data directory; its key is made at the first start.

        Every process of one installation needs the same file. Raises KeyExposed when others can read it.
        """
        path = folder / KEY_FILE
        if not path.exists():
            keep_once(path, base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
        return cls(_parsed(read_private(path), str(path)))

    @classmethod
    def of(cls, text: str, place: str) -> Self:
        """Return the sealer with a key that somebody else keeps: 32 bytes as base64, or as 64 hex digits."""
        if _HEX.fullmatch(text):
            return cls(bytes.fromhex(text))
        return cls(_parsed(text.encode(), place))

    def seal(self, plain: str, purpose: str) -> str:
        """Return the sealed form; the same text looks different each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, plain.encode(), purpose.encode())
        return _VERSION + base64.b64encode(nonce + sealed).decode("ascii")

    def mark(self, text: str, purpose: str) -> str:
        """Return 64 hex digits by which a text is known again; who doesn't hold the key can't make or test them."""
        derived = hmac.digest(self.key, _MARKING, "sha256")
        return hmac.digest(derived, f"{purpose}\0{text}".encode(), "sha256").hex()

    def open(self, sealed: str, purpose: str) -> str:
        """Return what was sealed, or raise Unavailable when this key did not seal it for this purpose."""
        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
            plain = AESGCM(self.key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise Unavailable("a secret can't be opened with this installation's key") from error
        return plain.decode()


def _parsed(encoded: bytes, place: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise Invalid("the sealing key is not base64", place=place) from error
    if len(key) != _KEY_BYTES:
        raise Invalid("the sealing key must have 32 bytes", place=place)
    return key
