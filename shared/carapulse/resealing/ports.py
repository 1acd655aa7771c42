"""What resealing asks of the application."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Sealer
from carapulse.kernel.work import Work
from carapulse.resealing.model import Kept, Place


class SealedRow(Record):
    """One row of a place: what it is found by, with what its purpose needs, and the sealed text."""

    facts: Mapping[str, str]
    sealed: str


class SealedRows(Protocol):
    """What one tenant keeps sealed, in one transaction."""

    def others(self, place: Place, prefix: str, after: SealedRow | None, limit: int) -> Sequence[SealedRow]:
        """Return rows, after one, whose text begins otherwise, locked; what others have locked is passed over."""
        ...

    def replace(self, place: Place, row: SealedRow, sealed: str) -> None:
        """Keep another sealed text in a row that is locked."""
        ...


class SealingBook(Protocol):
    """What is kept by which key, over all tenants."""

    def kept(self) -> Sequence[Kept]:
        """Return the counts as they are at this moment."""
        ...


class Rotated(Sealer, Protocol):
    """A sealer that has a newest key, and may have former ones."""

    @property
    def newest(self) -> str:
        """The id of the key by which is sealed now."""
        ...

    @property
    def former_ids(self) -> Sequence[str]:
        """The ids of the others, which open what they sealed."""
        ...

    @property
    def prefix(self) -> str:
        """What every text begins with that the newest key sealed."""
        ...


class ResealingWork(Work, Protocol):
    """A unit of work that can reach what is kept sealed."""

    @property
    def sealed_rows(self) -> SealedRows:
        """What is kept sealed, within this unit."""
        ...


class ResealingPorts(Protocol):
    """Everything that resealing asks of the application."""

    @property
    def sealer(self) -> Rotated:
        """What seals and opens."""
        ...

    @property
    def sealing_book(self) -> SealingBook:
        """What counts over all tenants."""
        ...

    def begin(self, call: Call) -> ResealingWork:
        """Open a unit of work for the caller's tenant."""
        ...
