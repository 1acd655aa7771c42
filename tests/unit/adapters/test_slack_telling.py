"""Events as Slack shows them: what people need, and nothing that somebody outside could make of it."""

import json
from datetime import UTC, datetime

import pytest

from carapulse.adapters.slack.telling import SlackWords, plain
from carapulse.notifications.model import Told

DIGEST = "sha256:" + "a" * 64


def told(**given):
    plan = {
        "id": "plan_1",
        "summary": "Scale checkout",
        "environment": "prod",
        "service": "checkout",
        "risk": "high",
        "requested_by": "ada",
        **given.pop("plan", {}),
    }
    facts = {
        "kind": "ApprovalRequested",
        "at": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "actor": "ada",
        "subject": "plan_1",
        "data": {"plan_id": "plan_1", "digest": DIGEST},
        "link": "https://carapulse.example/v1/plans/plan_1",
    }
    return Told.model_validate({**facts, "plan": plan, **given})


def texts(message):
    """Return every text of a message that people see."""
    if isinstance(message, dict):
        own = [message["text"]] if isinstance(message.get("text"), str) else []
        return own + [text for value in message.values() for text in texts(value)]
    return [text for each in message for text in texts(each)] if isinstance(message, list) else []


def test_a_question_says_what_where_which_risk_and_who_and_has_two_answers():
    message = SlackWords().message(told())

    said = "\n".join(texts(message))
    for each in ("Approval wanted", "Scale checkout", "prod/checkout", "high", "ada"):
        assert each in said
    assert "<https://carapulse.example/v1/plans/plan_1|Open the plan>" in said
    assert [(each["action_id"], each["value"]) for each in message["blocks"][-1]["elements"]] == [
        ("carapulse.approve", f"plan_1 {DIGEST}"),
        ("carapulse.deny", f"plan_1 {DIGEST}"),
    ]


def test_what_is_no_question_has_no_buttons():
    message = SlackWords().message(told(kind="StepFailed", data={"step_id": "s1", "error": {"detail": "x"}}))

    assert "actions" not in [each["type"] for each in message["blocks"]]


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel> now",
        "<@U1> look",
        "<https://evil.example|the plan>",
        "a & b <b>",
        "x\u202e\u200b\x00\ny",
        "&lt;!here&gt;",
    ],
)
def test_text_from_outside_makes_no_link_no_mention_and_no_line(hostile):
    message = SlackWords().message(
        told(
            plan={"summary": hostile, "service": hostile},
            data={"reason": hostile, "plan_id": "p", "digest": "d"},
            link=None,
        )
    )

    for text in texts(message):
        assert "<" not in text
        assert ">" not in text
        assert "&" not in text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert not set(text) & {"\u202e", "\u200b", "\x00"}
    assert all(each.get("verbatim") for each in _all_of(message, "mrkdwn"))


def test_a_message_stays_within_what_slack_takes():
    message = SlackWords().message(told(plan={"summary": "&" * 9000, "service": "<" * 9000}, actor=">" * 9000))

    assert len(message["blocks"][1]["text"]["text"]) <= 3000
    assert all(len(each["text"]) <= 2000 for each in message["blocks"][2]["fields"])
    assert len(json.dumps(message)) < 10_000


def test_an_escaped_character_is_never_cut_in_two():
    assert plain("&&&", 10) == "&amp;…"


def _all_of(message, kind):
    if isinstance(message, dict):
        own = [message] if message.get("type") == kind else []
        return own + [each for value in message.values() for each in _all_of(value, kind)]
    return [each for one in message for each in _all_of(one, kind)] if isinstance(message, list) else []
