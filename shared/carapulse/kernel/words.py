"""What people write and programs keep: names, tags, prose and free-form data, each with an end."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from carapulse.kernel.canonical import canonical
from carapulse.kernel.names import TRIMMED

LONGEST_NAME, LONGEST_TAG, MOST_TAGS = 200, 64, 32
LONGEST_PROSE_BYTES, LARGEST_DATA_BYTES, DEEPEST_DATA = 262_144, 65_536, 32
LARGEST_NUMBER = 2**53 - 1
LAST_CHARACTER = "\U0010ffff"
_LAYOUT = str.maketrans("", "", "\t\n\r")


def _visible(text: str) -> str:
    """Return the text if it has nothing in it that can't be seen, or that makes other text look otherwise."""
    if not text.isprintable():
        raise ValueError("it holds a character that can't be seen")
    return text


def _readable(text: str) -> str:
    if len(text.encode()) > LONGEST_PROSE_BYTES:
        raise ValueError(f"it is longer than {LONGEST_PROSE_BYTES} bytes")
    if any(sign < " " or "\x7f" <= sign < "\xa0" for sign in text.translate(_LAYOUT)):
        raise ValueError("it holds a control character other than a tab or the end of a line")
    return text


def _each_once(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(tags)) != len(tags):
        raise ValueError("a tag stands there twice")
    return tags


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    _check_parts(value)
    if len(canonical(value)) > LARGEST_DATA_BYTES:
        raise ValueError(f"it is larger than {LARGEST_DATA_BYTES} bytes of JSON")
    return value


def _check_parts(value: object) -> None:
    """Return if every part can be kept as it is: a database holds no NUL, and spells large fractions as integers."""
    level = [value]
    for _ in range(DEEPEST_DATA + 1):
        if not level:
            return
        for each in level:
            if isinstance(each, float | int) and abs(each) > LARGEST_NUMBER:
                raise ValueError("it holds a number beyond 2^53, which not every reader can hold")
            if isinstance(each, str) and "\0" in each:
                raise ValueError("it holds a NUL character")
        level = [part for each in level for part in _parts(each)]
    raise ValueError(f"it is nested deeper than {DEEPEST_DATA} levels")


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


Title = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), TRIMMED, AfterValidator(_visible)]
"""What a thing is called: one line."""

Tag = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TAG), TRIMMED, AfterValidator(_visible)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS), AfterValidator(_each_once)]
"""What a thing is found by, each once."""

Prose = Annotated[str, AfterValidator(_readable)]
"""Text of many lines, like Markdown; at most 256 KiB."""

Data = Annotated[dict[str, JsonValue], AfterValidator(_bounded)]
"""A JSON object of whatever shape; at most 64 KiB, 32 levels deep."""
