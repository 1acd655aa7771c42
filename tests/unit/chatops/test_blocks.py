"""Replies as Slack shows them: nothing from outside means anything there."""

import json

from carapulse.adapters.slack.blocks import escaped, message, shortened
from carapulse.chatops.model import Question, Reply

NASTY = "<!here> <@U1> <https://evil.example|x> &amp; a\nb\u202ec\x07"


def strings(node):
    """Yield every text of a message, with how Slack reads it."""
    if isinstance(node, dict):
        if node.get("type") in {"mrkdwn", "plain_text"}:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from strings(each)


def test_nothing_that_is_shown_is_a_link_a_mention_or_mark_up_of_slack():
    reply = Reply(title=NASTY, facts={NASTY: NASTY}, lines=(NASTY,), code=NASTY)

    shown = message(reply)

    assert "<" not in json.dumps(shown, ensure_ascii=False)
    assert {each["verbatim"] for each in strings(shown["blocks"])} == {True}
    assert (shown["response_type"], shown["mrkdwn"]) == ("ephemeral", False)


def test_a_text_is_one_line_in_which_nothing_is_invisible():
    assert escaped(NASTY) == "&lt;!here&gt; &lt;@U1&gt; &lt;https://evil.example|x&gt; &amp;amp; a b c "


def test_only_a_question_has_buttons_and_they_carry_what_was_seen():
    plain = message(Reply(title="x", lines=('{"type": "button"}',)))
    asked = message(Reply(title="x", question=Question(plan_id="plan_1", digest="sha256:2")))

    assert [each["type"] for each in plain["blocks"]] == ["section", "section"]
    buttons = asked["blocks"][-1]["elements"]
    assert [(each["action_id"], each["value"]) for each in buttons] == [
        ("carapulse.approve", "plan_1 sha256:2"),
        ("carapulse.deny", "plan_1 sha256:2"),
    ]


def test_a_message_is_never_larger_than_slack_takes():
    long = "&" * 5000
    many = {str(number): long for number in range(25)}

    shown = message(Reply(title=long, facts=many, lines=(long,) * 100, question=Question(plan_id="p", digest="d")))

    assert len(shown["blocks"]) <= 50
    assert all(len(each["text"]) <= 3000 for each in strings(shown["blocks"]))
    assert all(len(each.get("fields", [])) <= 10 for each in shown["blocks"])
    assert shown["blocks"][-1]["type"] == "actions"


def test_no_escape_is_cut_in_two():
    assert [shortened("ab&amp;", most) for most in (7, 6, 5, 4, 3)] == ["ab&amp;", "ab…", "ab…", "ab…", "ab…"]
