"""Only what a registered workspace signed just now is heard, and each request once."""

from datetime import UTC, datetime, timedelta

from tests.builders import chat
from tests.world.rig import a_call

COMMAND = chat.a_command("help")


def test_whatever_is_not_proven_gets_one_and_the_same_answer(team):
    path = team.workspace["commands_path"]
    late = datetime.now(UTC) - timedelta(minutes=6)
    early = datetime.now(UTC) + timedelta(minutes=6)
    other = chat.a_command("help", team="T0OTHER99")
    answers = [
        team.send(path.replace(team.workspace["id"], f"chat_{'0' * 32}"), COMMAND),
        team.send(path, COMMAND, chat.headers_of(COMMAND, secret="f" * 32)),
        team.send(path, COMMAND + b"&text=execute", chat.headers_of(COMMAND)),
        team.send(path, COMMAND, chat.headers_of(COMMAND, at=late)),
        team.send(path, COMMAND, chat.headers_of(COMMAND, at=early)),
        team.send(path, COMMAND, {"x-slack-signature": ""}),
        team.send(path, COMMAND, {"x-slack-request-timestamp": "soon"}),
        team.send(path, COMMAND, {"x-slack-signature": "v0=é".encode()}),
        team.send(path, other),
    ]

    said = {(each.status_code, each.json()["code"], each.json()["detail"]) for each in answers}
    assert said == {(401, "chat-refused", "the request from the chat could not be verified")}


def test_a_request_is_taken_once(rig, team):
    path, body = team.workspace["commands_path"], chat.a_command("help")
    headers = chat.headers_of(body)

    first, second = (team.send(path, body, headers) for _ in range(2))

    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 409, "chat-request-replayed")


def test_signatures_and_links_go_when_they_are_over(rig, team, database):
    team.link()
    team.code("ada")
    with database.as_superuser() as connection:
        connection.run("UPDATE chat_requests SET until = now() - interval '11 minutes'")
        connection.run("UPDATE chat_codes SET expires_at = now() - interval '11 minutes'")
        connection.run(
            "UPDATE chat_links SET linked_at = now() - interval '13 hours', expires_at = now() - interval '11 minutes'"
        )

    with rig.app.begin(a_call()) as work:
        assert work.room.drop_old_chat() == 3

    assert [len(team.rows(f"SELECT * FROM {each}")) for each in ("chat_requests", "chat_codes", "chat_links")] == [
        0,
        0,
        0,
    ]


def test_what_is_no_form_of_slack_is_refused_after_its_proof(team):
    path = team.workspace["commands_path"]
    whole = chat.a_command("help")
    bodies = {
        whole + b"&text=execute": 400,
        b"%zz=1": 400,
        b"text=%ff": 400,
        "text=é".encode(): 400,
        b"text=%00": 400,
        b"text": 400,
        b"": 422,
        b"team_id=" + chat.TEAM.encode(): 422,
        chat.a_command("help", user="nobody; DROP TABLE"): 422,
        b"payload=1": 422,
    }

    answers = [team.send(path, body) for body in bodies]

    assert [each.status_code for each in answers] == list(bodies.values())


def test_a_payload_that_is_no_json_of_slack_is_refused(team):
    path = team.workspace["interactions_path"]
    bodies = [b"payload=%7B", b"payload=1", b"payload=%7B%22type%22%3A%22block_actions%22%7D", b"other=1"]

    assert [team.send(path, body).status_code for body in bodies] == [400, 422, 422, 422]


def test_a_body_that_is_larger_than_any_of_slack_is_not_looked_at(team):
    answer = team.send(team.workspace["commands_path"], b"text=" + b"x" * 70_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
