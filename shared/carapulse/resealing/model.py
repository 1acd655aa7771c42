"""What is kept by which key, and whether a former one may go. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import Field

from carapulse.kernel.record import Record

API_KEYS = "api_keys.mark"
MACHINES = "machines.signature"
UNNOTED = ""
"""The id of a key that nobody noted: it may be any."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column of a table, or a member of the body of messages of one type, in which there is sealed text.

    What it is sealed for follows from the tenant and from the row: from its key, and from further facts where needed.
    """

    table: str
    key: tuple[str, ...]
    purpose: Callable[[str, Mapping[str, str]], str]
    column: str = "sealed"
    facts: tuple[str, ...] = ()
    message: str | None = None

    @property
    def name(self) -> str:
        """What it is called in counts and in events."""
        return f"{self.table}.{self.message or self.column}"


class Kept(Record):
    """How many rows of one tenant, in one place, were made by one key."""

    tenant: str
    place: str
    key: str
    how_many: int


class FormerKey(Record):
    """A former key, and what still needs it."""

    id: str
    sealed: int = Field(description="rows that it sealed, or may have")
    api_keys: int = Field(
        description="keys of machines that are known by its mark alone, or may be, until they are used"
    )
    machines: int = Field(description="running state machines whose reference it signed, or may have")

    @classmethod
    def of(cls, key: str, kept: Iterable[Kept]) -> Self:
        """Return what of all that is kept needs this key; what nobody noted may need any."""
        mine = [each for each in kept if each.key in {key, UNNOTED}]
        api_keys = sum(each.how_many for each in mine if each.place == API_KEYS)
        machines = sum(each.how_many for each in mine if each.place == MACHINES)
        sealed = sum(each.how_many for each in mine) - api_keys - machines
        return cls(id=key, sealed=sealed, api_keys=api_keys, machines=machines)

    @property
    def may_go(self) -> bool:
        """Whether nothing that is kept needs it any more."""
        return not (self.sealed or self.api_keys or self.machines)


class Resealed(Record):
    """What was sealed anew, what is left, and what still needs each former key."""

    newest: str
    resealed: int
    unreadable: int = Field(description="rows that no listed key opens, which stay as they are")
    left: int = Field(description="rows that are sealed by another key than the newest")
    former: tuple[FormerKey, ...]

    @classmethod
    def of(cls, newest: str, former: Sequence[str], counts: tuple[int, int], kept: Sequence[Kept]) -> Self:
        """Return what became of all that is kept; the counts are of rows sealed anew, and of unreadable ones."""
        resealed, unreadable = counts
        return cls(
            newest=newest,
            resealed=resealed,
            unreadable=unreadable,
            left=sum(each.how_many for each in sealed_by_others(newest, kept)),
            former=tuple(FormerKey.of(key, kept) for key in former),
        )


def sealed_by_others(newest: str, kept: Iterable[Kept]) -> list[Kept]:
    """Return what is sealed by another key than the newest, and can be sealed anew."""
    return [each for each in kept if each.key != newest and each.place not in {API_KEYS, MACHINES}]
