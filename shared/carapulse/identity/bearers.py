"""Whatever stands behind `Authorization: Bearer`: a token of an issuer, or a key of this installation."""

from dataclasses import dataclass
from typing import Final, Protocol

from carapulse.identity.model import Principal

KEY_MARK: Final = "cpk_"
"""What the text of every key begins with; no token does."""


class Verifier(Protocol):
    """Tells who is asking."""

    def verify(self, token: str) -> Principal:
        """Return the principal, or raise Unauthenticated."""
        ...


@dataclass(frozen=True, slots=True)
class Bearers:
    """Asks whoever can tell. A key is looked up, so `verify` may block for it (`is_looked_up`)."""

    tokens: Verifier
    keys: Verifier

    def verify(self, token: str) -> Principal:
        """Return who is asking, or raise Unauthenticated, or Unavailable where nobody can be asked."""
        return (self.keys if is_looked_up(token) else self.tokens).verify(token)


def is_looked_up(token: str) -> bool:
    """Say whether somebody outside of the process has to be asked about a bearer."""
    return token.startswith(KEY_MARK)
