"""Whatever stands behind `Authorization: Bearer`: a token of an issuer, or a key of this installation."""

from dataclasses import dataclass
from typing import Final, Protocol

from carapulse.identity.model import Principal
from carapulse.identity.ports import Fetch

KEY_MARK: Final = "cpk_"
"""What the text of every key begins with; no token does."""


class LooksUp(Protocol):
    """Tells whose a key is; it asks somebody, so it may block."""

    def verify(self, token: str) -> Principal:
        """Return the principal, or raise Unauthenticated, or Unavailable if nobody can be asked."""
        ...


class Verifier(Protocol):
    """Tells who is asking."""

    def wanted(self, token: str) -> Fetch | None:
        """Return what has to be fetched before this token can be verified, or None; or raise Unauthenticated."""
        ...

    def verify(self, token: str) -> Principal:
        """Return the principal, or raise Unauthenticated, or Unavailable if it can't be known now."""
        ...


@dataclass(frozen=True, slots=True)
class Bearers:
    """Asks whoever can tell. A key is looked up, so `verify` may block for it (`is_looked_up`)."""

    tokens: Verifier
    keys: LooksUp

    def wanted(self, token: str) -> Fetch | None:
        """Return what has to be fetched before a token can be verified, or None."""
        return None if is_looked_up(token) else self.tokens.wanted(token)

    def verify(self, token: str) -> Principal:
        """Return who is asking, or raise Unauthenticated, or Unavailable where nobody can be asked."""
        return (self.keys if is_looked_up(token) else self.tokens).verify(token)


def is_looked_up(token: str) -> bool:
    """Say whether somebody outside of the process has to be asked about a bearer."""
    return token.startswith(KEY_MARK)
