"""Sealer: what keeps text unreadable and unchangeable wherever it lies, in a database or with a caller."""

from typing import Protocol


class Sealer(Protocol):
    """Seals text for one purpose; it opens for no other."""

    def seal(self, plain: str, purpose: str) -> str:
        """Return the sealed form."""
        ...

    def open(self, sealed: str, purpose: str) -> str:
        """Return what was sealed for this purpose, or raise Unavailable."""
        ...
