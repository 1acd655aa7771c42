"""Lists in pages: an opaque cursor names the last item of a page, so that nothing is skipped or seen twice."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from carapulse.kernel.errors import Invalid
from carapulse.kernel.record import Record

T = TypeVar("T")
Limit = Annotated[int, Field(ge=1, le=200)]
DEFAULT_LIMIT = 50
_LONGEST = 500


class CursorInvalid(Invalid):
    """The cursor is not one that a list gave out."""

    code = "cursor-invalid"


class Page(Record, Generic[T]):
    """One page of a list; without a cursor it is the last."""

    data: tuple[T, ...]
    next_cursor: str | None = None


def cursor_of(key: str) -> str:
    """Return the cursor that continues after the item with this key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(cursor: str | None) -> str | None:
    """Return the key that a cursor stands for, or raise CursorInvalid."""
    if cursor is None:
        return None
    try:
        padded = cursor[:_LONGEST] + "=" * (-len(cursor) % 4)
        key = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise CursorInvalid("the cursor is not one that this list gave out") from error
    if not key.isprintable() or cursor_of(key) != cursor:
        raise CursorInvalid("the cursor is not one that this list gave out")
    return key
