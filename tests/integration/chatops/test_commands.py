"""People in Slack read, approve, deny, execute and cancel as themselves, and nobody more than at the API."""

from tests.builders import chat
from tests.integration.chatops.conftest import texts
from tests.world.rig import a_call, act, check

from carapulse.executions.undoing import UndoExecution, undo_execution

SHORT = len("sha256:") + 8


def in_production(rig, by="ada"):
    """Return a plan that somebody else has to approve."""
    return rig.plan(act("switch", "hall"), check("hall"), environment="prod", by=by)


def digest8(plan):
    return plan.digest[len("sha256:") : SHORT]


def test_a_person_reads_approves_and_executes_from_slack_as_themselves(rig, team):
    plan = in_production(rig, by="olga")
    team.link(chat.GRACE, "grace", "sre")

    listed = team.say("plans", user=chat.GRACE)
    shown = team.say(f"plan {plan.plan_id}", user=chat.GRACE)
    approved = team.say(f"approve {plan.plan_id} {digest8(plan)} looks right", user=chat.GRACE)
    executed = team.say(f"execute {plan.plan_id}", user=chat.GRACE)
    (execution,) = team.ask("GET", "/v1/executions").json()["data"]
    rig.finish(execution["execution_id"])
    after = team.say(f"status {execution['execution_id']}", user=chat.GRACE)

    assert plan.plan_id in texts(listed)
    assert [each["action_id"] for each in shown["blocks"][-1]["elements"]] == ["carapulse.approve", "carapulse.deny"]
    assert shown["blocks"][-1]["elements"][0]["value"] == f"{plan.plan_id} {plan.digest}"
    assert "1 of 1" in texts(approved)
    assert execution["execution_id"] in texts(executed)
    assert "succeeded" in texts(after)
    assert [(who, body["note"]) for who, body in team.events("ApprovalDecided")] == [("grace", "looks right")]
    assert execution["requested_by"] == "grace"
    given = [(who, body["command"], body["channel"]) for who, body in team.events("ChatCommandGiven")]
    assert given == [("grace", "approve", "C2147483705"), ("grace", "execute", "C2147483705")]


def test_who_is_not_linked_can_do_nothing_but_help_and_link(rig, team):
    plan = in_production(rig)

    said = {
        words: team.say(words)
        for words in ("plans", "whoami", "unlink", f"approve {plan.plan_id} {digest8(plan)}", f"execute {plan.plan_id}")
    }

    assert all("chat-user-not-linked" in texts(each) for each in said.values())
    assert "approve PLAN_ID" in texts(team.say("help"))
    assert team.ask("GET", f"/v1/plans/{plan.plan_id}").json()["status"] == "awaiting_approval"
    refused = team.events("ChatCommandRefused")
    assert [(who, body["command"]) for who, body in refused] == [
        ("chat:ops", each) for each in ("plans", "whoami", "unlink", "approve", "execute")
    ]


REFUSED = [
    ("viewer", "approve {plan} {digest}", "role-required"),
    ("viewer", "execute {plan}", "role-required"),
    ("viewer", "cancel {plan}", "role-required"),
    ("approver", "execute {plan}", "role-required"),
    ("sre", "approve {plan} 00000000", "plan-changed"),
    ("sre", "execute {plan}", "approval-required"),
    ("sre", "approve {plan}", "chat-command-unknown"),
    ("sre", "deny {plan} {digest}", "chat-command-unknown"),
    ("sre", "please approve {plan}", "chat-command-unknown"),
    ("sre", f"status exec_{'0' * 32}", "execution-not-found"),
]


def test_what_a_person_may_not_do_is_refused_with_the_code_of_the_route_and_is_in_the_log(rig, team):
    plan = in_production(rig, by="olga")
    replies = {}
    for role, words, code in REFUSED:
        team.link(by="ada", role=role)
        replies[role, words] = (team.say(words.format(plan=plan.plan_id, digest=digest8(plan))), code)

    for reply, code in replies.values():
        assert reply["response_type"] == "ephemeral"
        assert f"({code})" in texts(reply)
    assert [(who, body["code"]) for who, body in team.events("ChatCommandRefused")] == [
        ("ada", code) for _, _, code in REFUSED
    ]
    assert team.ask("GET", f"/v1/plans/{plan.plan_id}").json()["status"] == "awaiting_approval"


def test_who_asked_for_a_plan_cannot_approve_it_in_slack_either(rig, team):
    plan = in_production(rig, by="ada")
    team.link(by="ada", role="sre")

    assert "(self-approval)" in texts(team.say(f"approve {plan.plan_id} {digest8(plan)}"))


def test_a_plan_that_changed_after_it_was_seen_is_not_approved(rig, team):
    plan = in_production(rig, by="ada")
    team.link(chat.GRACE, "grace", "approver")
    body = {
        "summary": "Light the cellar",
        "context": {"environment": "prod"},
        "steps": [act("switch", "cellar"), check("cellar")],
    }
    assert team.ask("POST", f"/v1/plans/{plan.plan_id}/versions", body).status_code == 201

    by_words = team.say(f"approve {plan.plan_id} {digest8(plan)}", user=chat.GRACE)
    team.press("approve", plan, user=chat.GRACE)

    assert "(plan-changed)" in texts(by_words)
    assert "(plan-changed)" in texts(team.replies())
    assert team.ask("GET", f"/v1/plans/{plan.plan_id}").json()["status"] == "awaiting_approval"


def test_the_plan_of_another_tenant_is_not_found(rig, team):
    plan = in_production(rig, by="olga")
    rival = team.register("theirs", tenant="rival").json()
    code = team.code("eve", "admin", tenant="rival").json()["code"]
    team.workspace = rival
    team.say(f"link {code}")

    seen = [team.say(words) for words in (f"plan {plan.plan_id}", f"approve {plan.plan_id} {digest8(plan)}")]
    nothing = team.say(f"plan plan_{'0' * 32}")

    assert all("(plan-not-found)" in texts(each) for each in seen)
    assert texts(seen[0]).replace(plan.plan_id, "") == texts(nothing).replace(f"plan_{'0' * 32}", "")


def test_a_person_denies_and_takes_back_with_their_reasons(rig, team):
    denied, gone = in_production(rig, by="olga"), in_production(rig, by="olga")
    team.link(by="ada", role="sre")

    team.say(f"deny {denied.plan_id} {digest8(denied)} not   on a Friday")
    team.say(f"cancel {gone.plan_id}")

    statuses = [team.ask("GET", f"/v1/plans/{each.plan_id}").json()["status"] for each in (denied, gone)]
    assert statuses == ["rejected", "closed"]
    assert [body["note"] for _, body in team.events("ApprovalDecided")] == ["not on a Friday"]
    assert [(who, body["reason"]) for who, body in team.events("PlanCancelled")] == [
        ("ada", "cancelled in Slack by ada")
    ]


def test_a_run_is_cancelled_from_slack(rig, team):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    team.link(by="ada", role="sre")

    said = team.say(f"cancel {execution} wrong hall")

    assert "what was done is undone" in texts(said)
    assert rig.finish(execution).status == "cancelled"
    assert [(who, body["note"]) for who, body in team.events("CancelRequested")] == [("ada", "wrong hall")]


def test_an_answer_that_was_handed_on_can_be_given_in_slack_by_whoever_has_it(rig, team):
    plan = in_production(rig, by="olga")
    (asked,) = team.ask("GET", "/v1/approvals").json()["data"]
    assert team.ask(
        "POST", f"/v1/approvals/{asked['id']}:delegate", {"to": "vera"}, by="grace", role="approver"
    ).is_success
    team.link(by="vera", role="viewer")

    team.say(f"approve {plan.plan_id} {digest8(plan)}")

    assert [body["on_behalf_of"] for _, body in team.events("ApprovalDecided")] == ["grace"]


def test_what_a_plan_says_makes_no_link_no_mention_and_no_button(rig, team):
    plan = rig.plan(
        act("switch", "hall"), check("hall"), summary="<!channel> <https://evil.example|Approve> & *ok*", by="olga"
    )
    team.link(by="ada", role="viewer")

    reply = team.say(f"plan {plan.plan_id}")

    assert reply["blocks"][0]["text"] == {
        "type": "mrkdwn",
        "verbatim": True,
        "text": "&lt;!channel&gt; &lt;https://evil.example|Approve&gt; &amp; *ok*",
    }
    assert "<" not in texts(reply)
    assert [each["type"] for each in reply["blocks"]] == ["section", "section", "section"]


def test_a_link_ends_at_its_time(rig, team, database):
    team.link(by="ada", role="sre")
    assert "You are ada" in texts(team.say("whoami"))
    with database.as_superuser() as connection:
        connection.run("UPDATE chat_links SET linked_at = now() - interval '13 hours', expires_at = now()")

    assert "(chat-user-not-linked)" in texts(team.say("plans"))
    assert team.ask("GET", "/v1/chat/links").json()["data"] == []


def test_a_person_may_be_known_for_as_long_as_the_installation_says(rig, team):
    team.link(by="ada", role="sre")

    (hours,) = team.rows("SELECT extract(epoch FROM expires_at - linked_at) / 3600 AS hours FROM chat_links")

    assert float(hours.hours) == rig.app.settings.chat_link_hours == 12


def test_what_policy_denies_is_told_with_its_reasons(rig, team):
    plan = in_production(rig, by="olga")
    rig.approve(plan)
    freeze = {"name": "fair", "environments": ["prod"], "reason": "the fair is on"}
    assert team.ask("POST", "/v1/freezes", freeze).is_success
    team.link(by="ada", role="sre")

    reply = texts(team.say(f"execute {plan.plan_id}"))

    assert "(policy-denied)" in reply
    assert "the freeze fair holds here" in reply
    assert team.ask("GET", "/v1/executions").json()["data"] == []


def test_a_run_that_goes_back_is_cancelled_from_slack_and_keeps_what_it_went_back_on(rig, team):
    run = rig.run(act("switch", "hall"), check("hall"))
    plan = undo_execution(run.id, UndoExecution(), a_call(), rig.app)
    execution = rig.start(plan)
    team.link(by="ada", role="sre")

    shown = team.say(f"plan {plan.plan_id}")
    said = team.say(f"cancel {execution}")

    assert f"{run.id}; if a step fails, nothing is done again" in texts(shown)
    assert "what was done is kept" in texts(said)
    assert rig.state(execution).status == "cancelled"
