"""A plan's stream as people read it: each event in words, with its facts beside them."""

import re

from pydantic import AwareDatetime

from carapulse.audit.model import SealedEntry
from carapulse.kernel.record import Record
from carapulse.tools.model import JsonObject

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")
_TOLD = (
    "step_id",
    "stage",
    "outcome",
    "status",
    "risk",
    "approver",
    "required",
    "execution_id",
    "reason",
    "error",
    "note",
)
_LONGEST = 300


class TimelineEntry(Record):
    """One thing that happened to a plan."""

    seq: int
    at: AwareDatetime
    type: str
    actor: str
    said: str
    body: JsonObject


def entry_of(event: SealedEntry) -> TimelineEntry:
    """Return an event of any area in words: its name, then those of its facts that tell most."""
    return TimelineEntry(
        seq=event.seq, at=event.at, type=event.type, actor=event.actor, said=_said(event), body=event.body
    )


def _said(event: SealedEntry) -> str:
    words = _WORDS.sub(" ", event.type).lower()
    facts = [f"{name} {event.body[name]}" for name in _TOLD if _is_plain(event.body.get(name))]
    return f"{words}: {', '.join(facts)}"[:_LONGEST] if facts else words


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value != "")
