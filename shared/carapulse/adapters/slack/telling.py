"""Events as Block Kit, which is what an incoming webhook of Slack takes (https://docs.slack.dev/block-kit). Pure.

Nothing that came from outside can be a link, a mention or a button: what starts one is escaped, control characters are
gone, and Slack is told to look for nothing itself.
"""

import re
from typing import Any, Final

from carapulse.adapters.slack.blocks import Block, buttons, escaped, mrkdwn, shortened
from carapulse.chatops.model import Question
from carapulse.notifications.model import Told

_TITLES: Final = {
    "ApprovalRequested": "Approval wanted",
    "ApprovalDenied": "Approval denied",
    "ApprovalExpired": "Approval expired",
    "ExecutionFinished": "Change is over",
    "ExecutionHeld": "Change waits for a person",
    "ExecutionUndoing": "Change is being undone",
    "StepFailed": "Step failed",
    "StepUnknown": "Step needs a person",
    "ChannelTested": "Test message",
}
_SAID: Final = ("status", "cause", "step_id", "reason", "note", "approver", "alertname", "name", "expires_at", "detail")
_LONGEST: Final = 300
_LONGEST_SUMMARY: Final = 2000
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class SlackWords:
    """Puts events into the form of Slack."""

    def message(self, told: Told) -> dict[str, Any]:
        """Return the body of a message: what, where, which risk, who, a link, and the buttons of a question."""
        title = _TITLES.get(told.kind) or _WORD.sub(" ", told.kind)
        what = told.subject if told.plan is None else told.plan.summary
        return {
            "text": f"{plain(title)}: {plain(what)}",
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": plain(title, 150), "emoji": False}},
                {"type": "section", "text": mrkdwn(plain(what, _LONGEST_SUMMARY))},
                {"type": "section", "fields": [mrkdwn(each) for each in _fields(told)]},
                {"type": "context", "elements": [mrkdwn(_origin(told))]},
                *_buttons(told),
            ],
        }


def plain(text: str, most: int = _LONGEST) -> str:
    """Return text of others so that Slack shows it and does nothing else with it."""
    return shortened(escaped(text[: most + 1]), most) or "-"


def _fields(told: Told) -> list[str]:
    """Return what is known beside the summary, at most as many as Slack takes in a section."""
    found = [("Who", told.actor)]
    if told.plan is not None:
        where = "/".join(each for each in (told.plan.environment, told.plan.service) if each)
        found += [("Where", where), ("Risk", told.plan.risk.value), ("Asked for by", told.plan.requested_by)]
    found += [(name.replace("_", " ").capitalize(), _said(told.data[name])) for name in _SAID if told.data.get(name)]
    return [f"*{name}*\n{plain(value)}" for name, value in found][:10]


def _said(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return str(value.get("detail") or value.get("message") or value.get("kind") or "-")
    return str(value)


def _origin(told: Told) -> str:
    """Return which event this is, and a link if there is an address: that comes from the settings and from us alone."""
    moment = told.at.isoformat(timespec="seconds")
    origin = f"{plain(told.kind)} · {plain(told.subject)} · {plain(moment)}"
    return origin if told.link is None else f"{origin} · <{told.link}|Open the plan>"


def _buttons(told: Told) -> list[Block]:
    """Return the two answers to a question, which name exactly the version that was judged."""
    if told.kind != "ApprovalRequested":
        return []
    return [buttons(Question(plan_id=told.data["plan_id"], digest=told.data["digest"]))]
