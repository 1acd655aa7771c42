"""What telling who asks needs from the world: the keys of issuers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from joserfc.jwk import Key, KeySet


@dataclass(frozen=True, slots=True)
class Fetch:
    """An errand that comes before a token is judged. It may take seconds; one at a time is enough for an issuer."""

    issuer: str
    run: Callable[[], None]


class Keys(Protocol):
    """The public keys of one issuer."""

    def wanted(self, kid: str | None) -> Fetch | None:
        """Return what has to be fetched before a token that names this key is judged, or None. Never blocks."""
        ...

    def at_hand(self, kid: str | None, algorithm: str) -> Key | KeySet:
        """Return what may have signed. Never blocks.

        Raises TokenRefused if there is no such key, IssuerUnavailable if that can't be known now.
        """
        ...
