"""All that is understood in a chat. Nothing is guessed: what is not one of these commands does nothing."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from carapulse.chatops.errors import CommandUnknown
from carapulse.kernel.record import Record

LONGEST_WORDS: Final = 200
"""Signs that a note or a reason may have; what plans take as the reason of a cancellation is no longer."""

USAGE: Final[Mapping[str, str]] = {
    "help": "help",
    "link": "link CODE",
    "unlink": "unlink",
    "whoami": "whoami",
    "plans": "plans",
    "plan": "plan PLAN_ID",
    "approve": "approve PLAN_ID DIGEST [note]",
    "deny": "deny PLAN_ID DIGEST reason",
    "execute": "execute PLAN_ID",
    "cancel": "cancel PLAN_ID|EXECUTION_ID [reason]",
    "status": "status PLAN_ID|EXECUTION_ID",
}
_PLAN: Final = r"(?P<id>plan_[0-9a-f]{32})"
_EITHER: Final = r"(?P<id>(?:plan|exec)_[0-9a-f]{32})"
_DIGEST: Final = r"(?:sha256:)?(?P<digest>[0-9a-f]{8,64})"
_PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {
    verb: re.compile(pattern)
    for verb, pattern in {
        "help": "",
        "link": r"(?P<id>[A-Z2-7]{26})",
        "unlink": "",
        "whoami": "",
        "plans": "",
        "plan": _PLAN,
        "approve": f"{_PLAN} {_DIGEST}(?: (?P<words>.+))?",
        "deny": f"{_PLAN} {_DIGEST} (?P<words>.+)",
        "execute": _PLAN,
        "cancel": f"{_EITHER}(?: (?P<words>.+))?",
        "status": _EITHER,
    }.items()
}


class Command(Record):
    """One command, understood. `deed` names what is to be done: `cancel` and `status` are two each."""

    deed: str
    id: str = Field("", repr=False, description="of the plan or the execution; of link, the code")
    digest: str = Field("", description="the first signs of the digest, at least eight, without `sha256:`")
    words: Annotated[str, StringConstraints(max_length=LONGEST_WORDS)] | None = None


def parse(text: str) -> Command:
    """Return the command that a text is, or raise CommandUnknown with how it is written."""
    verb, *rest = text.split() or ["help"]
    verb = verb.lower()  # telephones begin with a capital letter
    if verb not in _PATTERNS:
        raise CommandUnknown("there is no such command", known=tuple(USAGE))
    words = " ".join(rest)
    found = _PATTERNS[verb].fullmatch(words)
    if found is None or not words.isprintable():
        raise CommandUnknown(f"it is written: {USAGE[verb]}", known=(verb,))
    parts = {name: value for name, value in found.groupdict().items() if value is not None}
    if len(parts.get("words", "")) > LONGEST_WORDS:
        raise CommandUnknown(f"a note or a reason has {LONGEST_WORDS} signs at most", known=(verb,))
    return Command(deed=_deed(verb, parts.get("id", "")), **parts)


def _deed(verb: str, about: str) -> str:
    if verb not in {"cancel", "status"}:
        return verb
    return f"{verb} {'plan' if about.startswith('plan_') else 'execution'}"
