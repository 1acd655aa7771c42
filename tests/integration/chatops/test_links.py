"""Administrators register workspaces, people say who they are there, and both can take that back."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders import chat
from tests.integration.chatops.conftest import texts
from tests.world.rig import act, check

from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.kernel.call import Scope


def test_a_workspace_tells_its_two_addresses_and_never_its_secret(rig, team):
    where = f"/v1/chatops/slack/{team.workspace['id']}"

    shown = [team.ask("GET", path).text for path in ("/v1/chat/workspaces", "/v1/chat/workspaces/ops")]
    kept = [str(tuple(row)) for table in ("chat_workspaces", "events") for row in team.rows(f"SELECT * FROM {table}")]

    assert (team.workspace["commands_path"], team.workspace["interactions_path"]) == (
        f"{where}/commands",
        f"{where}/interactions",
    )
    assert not any(chat.SECRET in each for each in [*shown, *kept, str(team.workspace)])


def test_the_same_registration_changes_nothing(team):
    team.link()

    assert team.register().json()["revision"] == 1

    assert "You are ada" in texts(team.say("whoami"))


def test_who_registers_another_secret_can_speak_for_nobody_who_was_linked_before(team):
    """Whoever chose the secret can make requests of every user of the workspace."""
    team.link()

    other = team.register(signing_secret="0" * 32).json()

    assert (other["revision"], other["id"]) == (2, team.workspace["id"])
    body = chat.a_command("whoami")
    old = team.send(other["commands_path"], body)
    new = team.send(other["commands_path"], body, chat.headers_of(body, secret="0" * 32))
    assert (old.status_code, "(chat-user-not-linked)" in new.text) == (401, True)
    assert [body["links_dropped"] for _, body in team.events("ChatWorkspaceChanged")] == [1]


def test_another_team_is_other_people(team):
    team.link()

    team.register(team_id="T0OTHER99")

    assert "(chat-user-not-linked)" in texts(team.say("whoami", team="T0OTHER99"))
    assert [body["links_dropped"] for _, body in team.events("ChatWorkspaceChanged")] == [1]


def test_a_retired_workspace_is_not_heard_and_leaves_nothing(team):
    team.link()
    etag = team.ask("GET", "/v1/chat/workspaces/ops").headers["etag"]

    gone = team.ask("DELETE", "/v1/chat/workspaces/ops", headers={"if-match": etag})

    body = chat.a_command("help")
    assert (gone.status_code, team.send(team.workspace["commands_path"], body).status_code) == (204, 401)
    assert [team.rows(f"SELECT * FROM {each}") for each in ("chat_workspaces", "chat_links", "chat_requests")] == [
        [],
        [],
        [],
    ]


def test_a_code_is_good_once_for_its_tenant_and_only_the_newest_one(team):
    older, newer = (team.code("ada").json()["code"] for _ in range(2))
    theirs = team.code("eve", tenant="rival").json()["code"]

    said = [texts(team.say(f"link {each}")) for each in (older, theirs, newer, newer)]

    assert ["You are ada" in each for each in said] == [False, False, True, False]
    assert all("(chat-code-refused)" in said[number] for number in (0, 1, 3))
    assert team.events("ChatLinked")[0][1]["subject"] == "ada"


def test_a_code_is_kept_as_a_digest_and_ends_after_ten_minutes(team, database):
    code = team.code("ada").json()["code"]
    (kept,) = team.rows("SELECT * FROM chat_codes")
    with database.as_superuser() as connection:
        connection.run("UPDATE chat_codes SET expires_at = now()")

    assert code not in str(tuple(kept))
    assert "(chat-code-refused)" in texts(team.say(f"link {code}"))


def test_only_people_get_a_code(rig, team):
    key = team.ask(
        "POST", "/v1/api-keys", {"name": "ci", "kind": "service", "roles": ["admin"], "expires_at": a_week_from_now()}
    )
    assert key.status_code == 201, key.text
    robot = DevelopmentIssuer.load_or_make(rig.app.settings.data_dir)
    answers = [
        team.ask("POST", "/v1/chat:link", headers={"authorization": f"Bearer {bearer}"})
        for bearer in (key.json()["text"], a_robot(robot))
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "person-required")] * 2


def test_a_person_sees_and_ends_their_own_links_and_an_administrator_anybody_s(team):
    team.link(chat.ADA, "ada", "operator")
    team.link(chat.GRACE, "grace", "operator")
    (own,) = team.ask("GET", "/v1/chat/links", by="ada", role="operator").json()["data"]
    everybody = team.ask("GET", "/v1/chat/links", by="root").json()["data"]
    (other,) = [each for each in everybody if each["subject"] == "grace"]

    def address(link):
        return f"/v1/chat/links/{link['id']}"

    ada = {"by": "ada", "role": "operator"}
    seen = {"headers": {"if-match": "*"}}
    hidden = team.ask("GET", address(other), **ada)
    denied = team.ask("DELETE", address(other), **seen, **ada)
    nothing = team.ask("DELETE", f"/v1/chat/links/link_{'0' * 32}", **seen, **ada)
    shown = [team.ask("GET", address(own), **ada), team.ask("GET", address(other), by="root")]
    tags = [{"if-match": each.headers["etag"]} for each in shown]
    blind = team.ask("DELETE", address(own), **ada)
    mistaken = team.ask("DELETE", address(own), headers=tags[1], **ada)
    ended = [
        team.ask("DELETE", address(own), headers=tags[0], **ada).status_code,
        team.ask("DELETE", address(other), headers=tags[1], by="root").status_code,
    ]

    assert [each.json() for each in shown] == [own, other]
    assert hidden.status_code == 404
    assert [blind.json()["code"], mistaken.json()["code"]] == ["precondition-required", "precondition-failed"]
    assert team.ask("GET", address(own), **ada).status_code == 404

    assert [each.status_code for each in (denied, nothing)] == [404, 404]
    assert denied.json()["detail"] == nothing.json()["detail"]
    assert ended == [204, 204]
    assert [body["by"] for _, body in team.events("ChatUnlinked")] == ["ada", "root"]
    assert all("(chat-user-not-linked)" in texts(team.say("plans", user=each)) for each in (chat.ADA, chat.GRACE))


def test_a_user_unlinks_and_links_again_as_whom_the_code_says(team):
    team.link(by="ada", role="viewer")
    team.say("unlink")
    unknown = team.say("whoami")
    team.link(by="vera", role="viewer")
    team.link(by="olga", role="sre")

    assert "(chat-user-not-linked)" in texts(unknown)
    assert "You are olga" in texts(team.say("whoami"))
    assert [body["replaces"] is None for _, body in team.events("ChatLinked")] == [True, True, False]


def test_only_administrators_register_workspaces(team):
    body = {"kind": "slack", "team_id": chat.TEAM, "signing_secret": chat.SECRET}
    answer = team.ask("PUT", "/v1/chat/workspaces/mine", body, role="sre", headers={"if-none-match": "*"})

    assert (answer.status_code, answer.json()["code"]) == (403, "role-required")


def test_no_machine_says_how_a_chat_proves_itself_for_then_it_could_speak_for_people(team):
    key = team.ask(
        "POST", "/v1/api-keys", {"name": "ci", "kind": "service", "roles": ["admin"], "expires_at": a_week_from_now()}
    )
    etag = team.ask("GET", "/v1/chat/workspaces/ops").headers["etag"]
    body = {"kind": "slack", "team_id": chat.TEAM, "signing_secret": "0" * 32}
    bearer = {"authorization": f"Bearer {key.json()['text']}", "if-match": etag}

    answer = team.ask("PUT", "/v1/chat/workspaces/ops", body, headers=bearer)

    assert (answer.status_code, answer.json()["code"]) == (403, "person-required")


@pytest.mark.parametrize("secret", ["0" * 32 + "\n", "0" * 31 + " ", "0" * 31 + "\u00e9", " " * 32])
def test_a_secret_that_no_app_of_slack_has_is_refused_at_once(team, secret):
    answer = team.register(signing_secret=secret)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert secret.strip() == "" or secret.strip() not in answer.text


def test_a_link_reaches_no_further_than_the_bearer_did_that_asked_for_it(rig, team):
    dev, prod = (rig.plan(act("switch", "hall"), check("hall"), environment=each) for each in ("dev", "prod"))
    issuer = DevelopmentIssuer.load_or_make(rig.app.settings.data_dir)
    only_dev = Scope(environments=("dev",))
    bearer = issuer.mint("acme", "ada", frozenset({"sre"}), timedelta(minutes=5), scope=only_dev)
    code = team.ask("POST", "/v1/chat:link", headers={"authorization": f"Bearer {bearer}"}).json()["code"]

    linked = team.say(f"link {code}")
    seen = [texts(team.say(f"plan {each.plan_id}")) for each in (dev, prod)]

    assert "environments: dev" in texts(linked)
    assert ["(plan-not-found)" in each for each in seen] == [False, True]
    assert [who for who, _ in team.events("ChatLinked")] == ["ada"]


def a_robot(issuer):
    return issuer.mint("acme", "robot", frozenset({"admin"}), timedelta(minutes=5), kind="service")


def a_week_from_now():
    return (datetime.now(UTC) + timedelta(days=7)).isoformat()
