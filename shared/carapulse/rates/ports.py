"""What counting asks of the outside world."""

from collections.abc import Sequence
from typing import Protocol

from carapulse.rates.model import Claim, Grant


class Lender(Protocol):
    """Counts for all processes together."""

    def take(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Return what each claim got, in their order; nothing if they are for a source that nobody registered.

        The claims are of one tenant and class. May block. Raises Unavailable when nobody can say.
        """
        ...
