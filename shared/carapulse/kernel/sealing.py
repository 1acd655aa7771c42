"""Sealer and Marker: what keeps text unreadable and unchangeable wherever it lies, and what knows a text again."""

from typing import Protocol


class Sealer(Protocol):
    """Seals text for one purpose; it opens for no other."""

    def seal(self, plain: str, purpose: str) -> str:
        """Return the sealed form."""
        ...

    def open(self, sealed: str, purpose: str) -> str:
        """Return what was sealed for this purpose, or raise Unavailable."""
        ...


class Marker(Protocol):
    """Makes marks by which a text is known again, and which tell nothing about it.

    Who doesn't hold one of the installation's keys can neither make nor test one.
    """

    @property
    def newest(self) -> str:
        """The id of the key by which marks are made now."""
        ...

    def mark(self, text: str, purpose: str) -> str:
        """Return the mark; the same text has the same one, for one purpose and one key."""
        ...

    def marked_by(self, mark: str, text: str, purpose: str) -> str | None:
        """Return the id of the key by which this is the mark of the text, or None. The time tells nothing of it."""
        ...
