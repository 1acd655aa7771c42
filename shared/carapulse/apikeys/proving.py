"""The text of a key, and what it proves: `cpk_`, a prefix that may be seen, and a secret of 256 random bits."""

import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

from carapulse.apikeys.ports import KeyDirectory, KnownKey, Mark
from carapulse.identity.bearers import KEY_MARK
from carapulse.identity.errors import TokenExpired, TokenRefused
from carapulse.identity.model import Principal, Proof
from carapulse.kernel.clock import Clock
from carapulse.kernel.sealing import Marker

_PURPOSE = "api-key"
_PREFIX_LENGTH = 12
_SECRET_BYTES = 32
_SHAPE = re.compile(rf"{KEY_MARK}([a-z0-9]{{{_PREFIX_LENGTH}}})_([A-Za-z0-9_-]{{43}})", re.ASCII)
_ALPHABET = string.ascii_lowercase + string.digits
_USE_IS_NEWS_AFTER = timedelta(minutes=1)
_NOBODYS = "0" * 64


def new_key() -> tuple[str, str]:
    """Return a fresh prefix, and the text of the key that has it."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
    return prefix, f"{KEY_MARK}{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def mark_of(text: str, marker: Marker) -> Mark:
    """Return what is kept of a key's text."""
    return Mark(text=marker.mark(text, _PURPOSE), made_by=marker.newest)


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
        # Compared also for a key that nobody knows, so that the time tells nothing.
        made_by = self.marker.marked_by(known.mark.text if known else _NOBODYS, text, _PURPOSE)
        if known is None or made_by is None or known.key.revoked_at is not None:
            raise TokenRefused("the token was not accepted")
        return self._used(known, text)

    def _used(self, known: KnownKey, text: str) -> Principal:
        key, now = known.key, self.clock.now()
        if now >= key.expires_at:
            raise TokenExpired("the token has expired")
        self._note(known, text, now)
        proof = Proof(kind="api_key", id=key.id)
        return Principal(actor=key.actor, tenant=known.tenant, expires_at=key.expires_at.timestamp(), proof=proof)

    def _note(self, known: KnownKey, text: str, now: datetime) -> None:
        """Note that a key was used. Its text is seen only now, so only now can it get the newest sealing key's mark."""
        last = known.key.last_used_at
        if known.mark.made_by != self.marker.newest:
            self.directory.mark_anew(known, mark_of(text, self.marker), now)
        elif last is None or now - last >= _USE_IS_NEWS_AFTER:
            self.directory.note_use(known, now)
