"""Names and sentences that people give to things: short, plain, and safe to show."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticKnownError


def _trimmed(text: str) -> str:
    kept = text.strip()
    if not kept:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    return kept


TRIMMED = AfterValidator(_trimmed)
"""Behind the bounds of a text, which are those of the contract and so about what was sent; what is kept is trimmed."""

Slug = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
"""A name that stands in addresses and in reasons."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"), TRIMMED]
"""One line in somebody's words."""
