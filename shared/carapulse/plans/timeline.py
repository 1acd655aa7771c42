"""A plan's stream as people read it: each event in words, with its facts beside them."""

import re

from pydantic import AwareDatetime

from carapulse.audit.model import SealedEntry
from carapulse.kernel.record import Record
from carapulse.tools.model import JsonObject

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")
_TOLD = (
    "step_id",
    "dry_run",
    "undoes",
    "phase",
    "attempt",
    "stage",
    "action",
    "outcome",
    "approvals_required",
    "status",
    "cause",
    "risk",
    "point_of_no_return",
    "approver",
    "required",
    "reason",
    "error",
    "left",
    "undo_plan_id",
    "stays",
    "done",
    "note",
)
_USUAL = ("dry_run", "no")
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
    told = ((name, _plain(event.body.get(name))) for name in _TOLD)
    facts = [f"{name.removesuffix('_id')} {value}" for name, value in told if value and (name, value) != _USUAL]
    return f"{words}: {', '.join(facts)}"[:_LONGEST] if facts else words


def _plain(value: object) -> str:
    """Return a fact in words; an error is its detail, and nothing is left out but what is empty."""
    if isinstance(value, dict):
        return str(value.get("detail") or "")
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, (int, float, str)) and value != "" else ""
