"""Lists in pages: the key of a page's last item continues it, so that nothing is skipped or seen twice.

Inside the program a cursor is that key in clear; `paging.py` seals it on its way out and opens it on its way in.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from carapulse.kernel.errors import Invalid
from carapulse.kernel.record import Record
from carapulse.kernel.spelling import WHOLE

T = TypeVar("T")
Limit = Annotated[int, Field(ge=1, le=200, description="how many items a page has at most"), WHOLE]
DEFAULT_LIMIT = 50
Cursor = Annotated[str, Field(max_length=1000, description="`next_cursor` of the page before")]


class CursorInvalid(Invalid):
    """The cursor is not one that this list gave out for these filters."""

    code = "cursor-invalid"


class Page(Record, Generic[T]):
    """One page of a list; without a cursor it is the last."""

    data: tuple[T, ...]
    next_cursor: str | None = None


class Wanted(Record):
    """Which page is wanted; areas add what the list can be filtered by."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None

    def cut(self, found: Sequence[T], key: Callable[[T], str]) -> Page[T]:
        """Return the page out of what was found, which is one item more where a further page follows."""
        data = tuple(found[: self.limit])
        return Page(data=data, next_cursor=key(data[-1]) if len(found) > self.limit else None)
