"""Markdown, as rendered pages are made of it."""

from collections.abc import Iterable
from typing import Any

_NOTE = "*Rendered from the code by `make docs`; a test holds it equal.*"


def head(title: str, sentence: str) -> list[str]:
    """Return a page's title, and what it is about."""
    return [f"# {title}", "", f"{sentence} {_NOTE}", ""]


def table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a table with these columns."""
    header = list(names)
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return [*lines, *(f"| {' | '.join(cell(each) for each in row)} |" for row in rows), ""]


def cell(value: object) -> str:
    """Return a value on one line of a table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def code(value: object) -> str:
    """Return a value as code."""
    return f"`{value}`"


def listed(names: Iterable[str]) -> str:
    """Return names as code, in order."""
    return ", ".join(code(name) for name in sorted(names))


def sentence(thing: Any) -> str:  # noqa: ANN401 - a class or a function
    """Return the first paragraph that a class or a function says of itself."""
    return " ".join((thing.__doc__ or "").partition("\n\n")[0].split())
