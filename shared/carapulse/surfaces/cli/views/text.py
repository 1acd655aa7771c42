"""Text from outside, made safe to show: it can neither move the cursor nor pose as something else."""

import unicodedata
from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

NOTHING: Final = "-"

GOOD: Final = frozenset({"succeeded", "approved", "done", "allow", "healthy", "held", "granted", "resolved"})
BAD: Final = frozenset(
    {"failed", "rejected", "denied", "deny", "rollback_failed", "timed_out", "needs_human", "unknown", "high", "broken"}
)
WAITING: Final = frozenset(
    {"awaiting_approval", "require_approval", "pending", "waiting", "running", "executing", "undoing", "medium", "open"}
)


def plain(value: object) -> str:
    """Return a value as one visible line: control and direction characters are shown, not obeyed."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(map(_visible, str(value)))


def block(value: object) -> str:
    """Return a value as visible lines."""
    return "\n".join(plain(line) if line else "" for line in str(value).splitlines())


def text(value: object, style: str = "") -> Text:
    """Return a value as text that rich draws as it is."""
    return Text(plain(value), style=style)


def status(value: object) -> Text:
    """Return a word that says how things stand, in the colour that says the same."""
    return Text(plain(value), style=style_of(value))


def style_of(value: object) -> str:
    """Return the style for a word that says how things stand."""
    word = str(value)
    if word in GOOD:
        return "green"
    if word in BAD:
        return "bold red"
    return "yellow" if word in WAITING or word == "rolled_back" else ""


def moment(value: object) -> str:
    """Return a time of the API (RFC 3339) to the second, in UTC."""
    try:
        return datetime.fromisoformat(str(value)).strftime("%Y-%m-%d %H:%M:%S") if value else NOTHING
    except ValueError:
        return plain(value)


def seconds_between(start: object, end: object) -> str:
    """Return how long something took, or nothing while it can't be known."""
    try:
        length = (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (ValueError, TypeError):
        return NOTHING
    return f"{length:.1f} s"


def listed(values: object) -> str:
    """Return several values in one line."""
    return ", ".join(map(plain, values)) if isinstance(values, list | tuple) and values else NOTHING


def facts(pairs: dict[str, Any]) -> Table:
    """Return names and values below each other."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        grid.add_row(name, value if isinstance(value, Text | Table) else text(value))
    return grid


def columns(*names: str, title: str | None = None) -> Table:
    """Return an empty table with these columns."""
    table = Table(
        title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in {"id", "status", "risk", "seq"})
    return table


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return f"\\u{ord(character):04x}"
    return character
