"""People in Slack and at the API of one installation, with the whole application behind both."""

import json

import pytest
from sqlalchemy import text
from tests.builders import chat
from tests.builders.caller import Caller
from tests.world.rig import Rig, a_call
from tests.world.slack import a_slack


class Team:
    """A registered workspace, and whoever writes in it."""

    def __init__(self, rig, ask, slack):
        self.rig = rig
        self.ask = ask
        self.slack = slack
        self.workspace = self.register().json()

    def register(self, name="ops", *, tenant="acme", **given):
        body = {"kind": "slack", "team_id": chat.TEAM, "signing_secret": chat.SECRET, **given}
        path = f"/v1/chat/workspaces/{name}"
        etag = self.ask("GET", path, tenant=tenant).headers.get("etag")
        return self.ask(
            "PUT", path, body, tenant=tenant, headers={"if-match": etag} if etag else {"if-none-match": "*"}
        )

    def send(self, path, body, headers=None):
        given = {**chat.headers_of(body), **(headers or {})}
        return self.ask("POST", path, headers=given, signed=True, content=body)

    def say(self, words, *, user=chat.ADA, **more):
        """Say a command, and return the reply."""
        answer = self.send(self.workspace["commands_path"], chat.a_command(words, user=user, **more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def press(self, button, plan, *, user=chat.ADA, **more):
        value = f"{plan.plan_id} {plan.digest}"
        body = chat.a_press(f"carapulse.{button}", value, user=user, **{"response_url": self.slack.url, **more})
        return self.send(self.workspace["interactions_path"], body)

    def code(self, by, role="approver", **more):
        return self.ask("POST", "/v1/chat:link", by=by, role=role, **more)

    def link(self, user=chat.ADA, by="ada", role="approver", **more):
        code = self.code(by, role, **more).json()["code"]
        return self.say(f"link {code}", user=user)

    def replies(self):
        """Let replies be delivered, and return what Slack was told."""
        self.rig.workers.run_until_idle()
        return [body for _, body in self.slack.told]

    def rows(self, query, **given):
        with self.rig.app.begin(a_call()) as work:
            return work.connection.execute(text(query), given).all()

    def events(self, *kinds):
        """Return the bodies of events of some kinds, in order, each with who did it."""
        wanted = "SELECT actor, body FROM events WHERE type = ANY (:kinds) ORDER BY position"
        return [(row.actor, row.body) for row in self.rows(wanted, kinds=list(kinds))]


def texts(reply):
    """Return everything that a reply shows, as one text."""
    return json.dumps(reply, ensure_ascii=False)


@pytest.fixture
def slack():
    with a_slack() as slack:
        yield slack


@pytest.fixture
def rig(database, world, tmp_path, slack):
    addresses = frozenset({"hooks.slack.com:443", slack.address})
    built = Rig(database.app_url, world, tmp_path / "data", visibility_s=2, chat_reply_addresses=addresses)
    yield built
    built.close()


@pytest.fixture
def team(rig, slack):
    return Team(rig, Caller(rig.app), slack)
