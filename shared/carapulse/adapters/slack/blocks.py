"""Messages as Slack's Block Kit (https://docs.slack.dev/block-kit). Pure.

Whatever is shown may come from outside. It is escaped, and it is `verbatim`, so that Slack makes no link, mention or
channel of it; only what is built here as a button is one.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from carapulse.chatops.model import APPROVE, DENY, Question, Reply

Block = dict[str, Any]
_LONGEST_TEXT: Final = 3000
_LONGEST_FIELD: Final = 2000
_MOST_FIELDS: Final = 10
_MOST_LINE_BLOCKS: Final = 40
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escaped(text: str) -> str:
    """Return a text as one line in which nothing means anything to Slack; what can't be seen becomes a space."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text)
    return seen.translate(_ESCAPED)


def shortened(text: str, most: int) -> str:
    """Return an escaped text that is no longer than Slack takes; no escape is cut in two."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    cut, ends = kept.rfind("&"), kept.rfind(";")
    return (kept[:cut] if cut > ends else kept) + "…"


def mrkdwn(text: str) -> Block:
    """Return a text that is escaped already, of which Slack makes nothing by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    """Return a block of text that is escaped already, except for what is meant as mark-up."""
    return {"type": "section", "text": mrkdwn(shortened(text, _LONGEST_TEXT))}


def fields(facts: Mapping[str, str]) -> Iterable[Block]:
    """Yield facts by their names, in blocks of ten."""
    shown = [mrkdwn(shortened(f"*{escaped(name)}*\n{escaped(said)}", _LONGEST_FIELD)) for name, said in facts.items()]
    for first in range(0, len(shown), _MOST_FIELDS):
        yield {"type": "section", "fields": shown[first : first + _MOST_FIELDS]}


def buttons(question: Question) -> Block:
    """Return the two buttons of a plan that waits for an answer; they carry its id and the digest that was seen."""
    return {
        "type": "actions",
        "elements": [
            _button("Approve", APPROVE, question.value, "primary"),
            _button("Deny", DENY, question.value, "danger"),
        ],
    }


def message(reply: Reply) -> dict[str, Any]:
    """Return a reply that one person alone sees."""
    title = escaped(reply.title) + (f" ({escaped(reply.code)})" if reply.code else "")
    blocks = [section(title), *fields(reply.facts), *map(section, _packed(reply.lines))]
    if reply.question is not None:
        blocks.append(buttons(reply.question))
    text = shortened(title, _LONGEST_TEXT)
    return {"response_type": "ephemeral", "text": text, "mrkdwn": False, "blocks": blocks}


def _packed(lines: Iterable[str]) -> list[str]:
    """Return lines in as few blocks as hold them."""
    blocks: list[str] = []
    for line in (shortened(escaped(each), _LONGEST_TEXT) for each in lines):
        if blocks and len(blocks[-1]) + len(line) < _LONGEST_TEXT:
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(line)
    return blocks[:_MOST_LINE_BLOCKS]


def _button(label: str, action_id: str, value: str, style: str) -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label},
        "value": value,
        "style": style,
    }
