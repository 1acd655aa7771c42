"""Sealing of secrets that must come back: AES-256-GCM with a key that lies outside the database."""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carapulse.identity.keyfile import keep_once, read_private
from carapulse.kernel.errors import Invalid, Unavailable

KEY_FILE = "sealing-key"

_FIRST = "v1."  # sealed when there was one key, and it said nothing of it
_NAMED = re.compile(r"v2\.([0-9a-f]{16})\.(.*)", re.ASCII | re.DOTALL)
_KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_MARKING = b"carapulse marks"  # a key for each use of the one key
_NAMING = b"carapulse name of a sealing key"


@dataclass(frozen=True, slots=True)
class AesGcmSealer:
    """Seals text for one purpose. Who holds only the database, or only the key file, can read nothing.

    What is new is sealed and marked by the one key. What was sealed or marked by a former key stays good.
    """

    key: bytes = field(repr=False)
    former: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def load_or_make(cls, folder: Path) -> Self:
        """Return the sealer of this data directory; its key is made at the first start.

        Every process of one installation needs the same file. Raises KeyExposed when others can read it, and Invalid
        where it is gone and keys that followed it are there.
        """
        path = folder / KEY_FILE
        if not path.exists():
            _refuse_followed(folder)
            keep_once(path, new_key())
        return cls.of(read_private(path).decode("ascii", errors="replace"), str(path))

    @classmethod
    def of(cls, text: str, place: str) -> Self:
        """Return the sealer with a key that somebody else keeps: 32 bytes as base64, or as 64 hex digits."""
        if _HEX.fullmatch(text):
            return cls(bytes.fromhex(text))
        return cls(_parsed(text.encode(), place))

    def after(self, former: Iterable["AesGcmSealer"]) -> Self:
        """Return this sealer, which opens and knows also what those sealed and marked."""
        return replace(self, former=tuple(each.key for each in former))

    @property
    def newest(self) -> str:
        """The id of the key by which is sealed and marked now: sixteen hex digits, which tell nothing of the key."""
        return _id_of(self.key)

    @property
    def former_ids(self) -> tuple[str, ...]:
        """The ids of the other keys, which open and know what they sealed and marked."""
        return tuple(_id_of(key) for key in self.former)

    @property
    def prefix(self) -> str:
        """What every text begins with that was sealed by that key."""
        return f"v2.{self.newest}."

    def seal(self, plain: str, purpose: str) -> str:
        """Return the sealed form; the same text looks different each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, plain.encode(), purpose.encode())
        return self.prefix + base64.b64encode(nonce + sealed).decode("ascii")

    def mark(self, text: str, purpose: str) -> str:
        """Return 64 hex digits by which a text is known again; who doesn't hold the key can't make or test them."""
        return _mark(self.key, text, purpose)

    def marked_by(self, mark: str, text: str, purpose: str) -> str | None:
        """Return the id of the key by which this is the mark of the text, or None. Every key is tried, always."""
        given = mark.encode()
        tried = [(key, hmac.compare_digest(_mark(key, text, purpose).encode(), given)) for key in self._keys]
        return next((_id_of(key) for key, fits in tried if fits), None)

    def open(self, sealed: str, purpose: str) -> str:
        """Return what was sealed, or raise Unavailable when none of the keys sealed it for this purpose."""
        named = _NAMED.fullmatch(sealed)
        if named is None:
            return self._first_opened(sealed.removeprefix(_FIRST), purpose, self._keys)
        keys = [key for key in self._keys if _id_of(key) == named[1]]
        if not keys:
            raise Unavailable("a secret was sealed by a former key that CARAPULSE_FORMER_SEALING_KEYS does not list")
        return self._first_opened(named[2], purpose, keys)

    @property
    def _keys(self) -> tuple[bytes, ...]:
        return (self.key, *self.former)

    @staticmethod
    def _first_opened(encoded: str, purpose: str, keys: Iterable[bytes]) -> str:
        for key in keys:
            try:
                raw = base64.b64decode(encoded, validate=True)
                return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode()
            except (InvalidTag, ValueError):
                continue  # the next key may be the one; after the last, nobody's is
        raise Unavailable("a secret can't be opened with this installation's key")


def new_key() -> bytes:
    """Return a new random key, as it is kept."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES))


def _refuse_followed(folder: Path) -> None:
    """Raise Invalid where the first key was let go: a process whose settings name none would seal by a stray one."""
    found = sorted(each.name for each in folder.glob(f"{KEY_FILE}-*"))
    if found:
        raise Invalid("CARAPULSE_SEALING_KEY has to say which of the sealing keys is the newest", found=found)


def _id_of(key: bytes) -> str:
    return hmac.digest(key, _NAMING, "sha256")[:_ID_BYTES].hex()


def _mark(key: bytes, text: str, purpose: str) -> str:
    derived = hmac.digest(key, _MARKING, "sha256")
    return hmac.digest(derived, f"{purpose}\0{text}".encode(), "sha256").hex()


def _parsed(encoded: bytes, place: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise Invalid("the sealing key is not base64", place=place) from error
    if len(key) != _KEY_BYTES:
        raise Invalid("the sealing key must have 32 bytes", place=place)
    return key
