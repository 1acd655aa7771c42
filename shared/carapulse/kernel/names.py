"""Names and sentences that people give to things: short, plain, and safe to show."""

from typing import Annotated

from pydantic import StringConstraints

Slug = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
"""A name that stands in addresses and in reasons."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""One line in somebody's words."""
