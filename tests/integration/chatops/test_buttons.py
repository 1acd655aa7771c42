"""A button is answered at once; what came of it is told in Slack by a message that was sent with the decision."""

from sqlalchemy import text
from tests.builders import chat
from tests.integration.chatops.conftest import texts
from tests.integration.chatops.test_commands import in_production
from tests.world.rig import a_call

from carapulse.approvals.events import ApprovalDecided
from carapulse.chatops.messages import TellChat


def test_a_button_approves_exactly_what_it_was_shown_with_and_says_so_afterwards(rig, team):
    plan = in_production(rig, by="olga")
    team.link(chat.GRACE, "grace", "approver")

    pressed = team.press("approve", plan, user=chat.GRACE)

    assert (pressed.status_code, pressed.content) == (200, b"")
    assert team.slack.told == []
    (reply,) = team.replies()
    assert (reply["response_type"], reply["replace_original"]) == ("ephemeral", False)
    assert "You have approved this" in texts(reply)
    assert [(who, body["digest"]) for who, body in team.events("ApprovalDecided")] == [("grace", plan.digest)]
    (given,) = team.rows("SELECT trace FROM events WHERE type = 'ChatCommandGiven'")
    (decided,) = team.rows("SELECT trace FROM events WHERE type = 'ApprovalDecided'")
    assert given.trace == decided.trace


def test_a_button_that_is_pressed_twice_decides_once(rig, team):
    plan = in_production(rig, by="olga")
    team.link(chat.GRACE, "grace", "approver")

    answers = [team.press("approve", plan, user=chat.GRACE) for _ in range(2)]

    first, second = team.replies()
    assert [each.status_code for each in answers] == [200, 200]
    assert "You have approved this" in texts(first)
    assert "(approval-closed)" in texts(second)
    assert len(team.events("ApprovalDecided")) == 1


def test_a_button_denies_with_the_reason_that_it_was_pressed(rig, team):
    plan = in_production(rig, by="olga")
    team.link(chat.GRACE, "grace", "approver")

    team.press("deny", plan, user=chat.GRACE)

    assert [body["note"] for _, body in team.events("ApprovalDecided")] == ["denied in Slack by grace"]
    assert team.ask("GET", f"/v1/plans/{plan.plan_id}").json()["status"] == "rejected"


def test_a_button_of_somebody_nobody_knows_is_refused_and_told_why(rig, team):
    plan = in_production(rig, by="olga")

    assert team.press("approve", plan).status_code == 200

    assert "(chat-user-not-linked)" in texts(team.replies())
    assert team.events("ApprovalDecided") == []
    assert [(who, body["chat_user"]) for who, body in team.events("ChatCommandRefused")] == [("chat:ops", chat.ADA)]


def test_the_reply_is_sent_with_the_decision_or_neither_is(rig, team):
    """The message stands in the transaction of the event: both have its number."""
    plan = in_production(rig, by="olga")
    team.link(chat.GRACE, "grace", "approver")

    team.press("approve", plan, user=chat.GRACE)

    kinds = {"event": ApprovalDecided.__name__, "message": TellChat.__name__}
    (event,) = team.rows("SELECT xmin::text AS written FROM events WHERE type = :event", event=kinds["event"])
    (message,) = team.rows("SELECT xmin::text AS written FROM messages WHERE type = :message", message=kinds["message"])
    assert event.written == message.written


def test_where_a_reply_goes_is_nowhere_in_clear(rig, team):
    plan = in_production(rig, by="olga")
    team.press("approve", plan)

    kept = [str(tuple(row)) for table in ("messages", "events") for row in team.rows(f"SELECT * FROM {table}")]

    assert not any(team.slack.url in each or "/actions/" in each for each in kept)


def test_a_reply_that_slack_can_t_take_now_is_tried_again(rig, team):
    team.press("approve", in_production(rig, by="olga"))
    team.slack.statuses = [500]

    team.replies()
    with rig.app.begin(a_call()) as work:
        work.connection.execute(text("UPDATE messages SET available_at = now() WHERE type = 'TellChat'"))
    team.replies()

    assert [status for status, _ in team.slack.told] == [500, 200]


def test_a_reply_that_slack_does_not_take_is_a_dead_letter(rig, team):
    team.press("approve", in_production(rig, by="olga"))
    team.slack.statuses = [404]

    team.replies()

    (dead,) = team.ask("GET", "/v1/dead-letters").json()["data"]
    assert (dead["type"], dead["reason"].split(":")[0]) == ("TellChat", "chat-reply-refused")


def test_replies_go_to_slack_alone(rig, team):
    plan = in_production(rig, by="olga")
    elsewhere = ["https://evil.example/x", "http://hooks.slack.com/x", "https://hooks.slack.com:8443/x", "ftp://x/"]

    answers = [team.press("approve", plan, response_url=each) for each in elsewhere]

    assert [each.status_code for each in answers] == [422] * 4
    assert team.rows("SELECT * FROM messages WHERE type = 'TellChat'") == []


def test_what_is_no_button_of_ours_is_a_clear_error(team):
    path = team.workspace["interactions_path"]
    other = team.send(path, chat.a_press("somebody.else", "x"))
    form = team.send(path, chat.a_press("carapulse.approve", "x", type="view_submission"))

    codes = {each.json()["code"] for each in (other, form)}
    assert ({other.status_code, form.status_code}, codes) == ({422}, {"chat-interaction-unsupported"})
