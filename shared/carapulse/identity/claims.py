"""Where a token says something, and what a word in it is."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from carapulse.identity.errors import TokenRefused

Word = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _steps(value: Any) -> Any:  # noqa: ANN401 - raw input
    return tuple(value.split(".")) if isinstance(value, str) else value


ClaimPath = Annotated[tuple[Word, ...], BeforeValidator(_steps), Field(min_length=1, max_length=8)]
"""Where a claim is: `realm_access.roles`, or a list of steps for names that have dots in them."""


def find(said: Mapping[str, Any], path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a token says at this place, or None."""
    found: Any = said
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def find_surely(said: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Any, ...]:
    """Return what a token says at this place, alone, or nothing if it does not; TokenRefused if the way is no way.

    `find` takes null, and a word where an object should be, for silence. Where silence may give something, that is
    too little.
    """
    found: Any = said
    for step in path:
        if not isinstance(found, Mapping):
            raise TokenRefused("the claim is not where it should be")
        if step not in found:
            return ()
        found = found[step]
    return (found,)
