"""The text of a key, and what it proves: `cpk_`, a prefix that may be seen, and a secret of 256 random bits."""

import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import timedelta

from carapulse.apikeys.ports import KeyDirectory, KnownKey, Marker
from carapulse.identity.bearers import KEY_MARK
from carapulse.identity.errors import TokenExpired, TokenRefused
from carapulse.identity.model import Principal, Proof
from carapulse.kernel.clock import Clock

_PURPOSE = "api-key"
_PREFIX_LENGTH = 12
_SECRET_BYTES = 32
_SHAPE = re.compile(rf"{KEY_MARK}([a-z0-9]{{{_PREFIX_LENGTH}}})_([A-Za-z0-9_-]{{43}})", re.ASCII)
_ALPHABET = string.ascii_lowercase + string.digits
_USE_IS_NEWS_AFTER = timedelta(minutes=1)


def new_key() -> tuple[str, str]:
    """Return a fresh prefix, and the text of the key that has it."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
    return prefix, f"{KEY_MARK}{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def mark_of(text: str, marker: Marker) -> str:
    """Return what is kept of a key's text."""
    return marker.mark(text, _PURPOSE)


@dataclass(frozen=True, slots=True)
class KeyVerifier:
    """Turns the text of a key into a principal. It asks the database each time, so what is revoked is so everywhere."""

    directory: KeyDirectory
    marker: Marker
    clock: Clock

    def verify(self, text: str) -> Principal:
        """Return who is asking, or raise TokenRefused, TokenExpired or Unavailable. It blocks."""
        shape = _SHAPE.fullmatch(text)
        known = self.directory.find(shape[1]) if shape else None
        # Made also for a key that nobody knows, so that the time tells nothing.
        mark = mark_of(text, self.marker)
        if known is None or not hmac.compare_digest(mark, known.mark) or known.key.revoked_at is not None:
            raise TokenRefused("the token was not accepted")
        return self._used(known)

    def _used(self, known: KnownKey) -> Principal:
        key, now = known.key, self.clock.now()
        if now >= key.expires_at:
            raise TokenExpired("the token has expired")
        if key.last_used_at is None or now - key.last_used_at >= _USE_IS_NEWS_AFTER:
            self.directory.note_use(known, now)
        proof = Proof(kind="api_key", id=key.id)
        return Principal(actor=key.actor, tenant=known.tenant, expires_at=key.expires_at.timestamp(), proof=proof)
