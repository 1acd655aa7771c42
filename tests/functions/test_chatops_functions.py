"""chatops and approvals: from a button in Slack to the reply there, through both kinds of cloud."""

import base64
import json
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from tests.builders.chat import SECRET, headers_of
from tests.functions.clouds import EVENTS, a_request, on_google, on_lambda, on_uvicorn, recorded
from tests.functions.test_queue_functions import a_plan_in_production
from tests.world.slack import a_slack

from carapulse.chatops.linking import issue_code
from carapulse.chatops.model import RegisterWorkspace
from carapulse.chatops.usecases import register_workspace
from carapulse.identity.model import Principal, Proof

COMMAND = (EVENTS / "slack" / "command.txt").read_bytes()


@pytest.fixture
def slack():
    with a_slack() as slack:
        yield slack


class Workspace:
    """The team of the recorded events, registered at an installation."""

    def __init__(self, installation):
        self.installation = installation
        team = dict(parse_qsl(COMMAND.decode()))["team_id"]
        command = RegisterWorkspace.model_validate({"team_id": team, "signing_secret": SECRET})
        self.view = register_workspace("ops", command, installation.call("root", "admin"), installation.app).workspace

    def said(self, text):
        """Return the recorded command, with other words."""
        return urlencode({**dict(parse_qsl(COMMAND.decode(), keep_blank_values=True)), "text": text}).encode()

    def link(self):
        """Return what links the recorded user to somebody who may approve."""
        call = self.installation.call("grace", "approver")
        principal = Principal(actor=call.actor, tenant="acme", expires_at=0, proof=Proof(kind="token"))
        return self.said(f"link {issue_code(principal, call, self.installation.app).code}")

    def press(self, plan, slack):
        """Return the recorded button, of one plan."""
        pressed = recorded("slack/block_actions")
        pressed["response_url"] = slack.url
        pressed["actions"][0]["value"] = f"{plan.plan_id} {plan.digest}"
        return urlencode({"payload": json.dumps(pressed)}).encode()


def through_gateway(function, path, body):
    """Send a form as API Gateway passes it on, which is in base64, and return the answer."""
    request = {**a_request("POST", path, **headers_of(body)), "body": base64.b64encode(body).decode()}
    kind, answer = function({**request, "isBase64Encoded": True})
    assert kind == "response"
    return answer


def test_a_button_in_slack_approves_and_is_answered_on_lambda(installation, slack):
    workspace, plan = Workspace(installation), a_plan_in_production(installation)
    environment = {**installation.environment, "CARAPULSE_CHAT_REPLY_ADDRESSES": json.dumps([slack.address])}

    with on_lambda("chatops", environment) as function:
        linked = through_gateway(function, workspace.view.commands_path, workspace.link())
        pressed = through_gateway(function, workspace.view.interactions_path, workspace.press(plan, slack))
        unsigned = through_gateway(function, workspace.view.commands_path.replace("chat_", "chat_0"), COMMAND)
        _, elsewhere = function(a_request("GET", "/v1/plans", authorization=f"Bearer {installation.token('viewer')}"))
    (reply,) = installation.envelopes("approvals")
    with on_lambda("approvals", environment) as function:
        back = [function.messages(reply), function.messages(reply)]

    assert (linked["statusCode"], "You are grace" in linked["body"]) == (200, True)
    assert (pressed["statusCode"], pressed["body"]) == (200, "")
    assert (unsigned["statusCode"], elsewhere["statusCode"]) == (401, 404)
    assert [each.status for each in installation.rows("SELECT status FROM plans")] == ["approved"]
    assert (back, [status for status, _ in slack.told]) == ([[], []], [200])


def test_a_button_in_slack_approves_and_is_answered_under_a_server_and_on_cloud_run(at_google, slack):
    workspace, plan = Workspace(at_google), a_plan_in_production(at_google)
    environment = {**at_google.environment, "CARAPULSE_CHAT_REPLY_ADDRESSES": json.dumps([slack.address])}

    def sent(path, body):
        return httpx.post(url + path, content=body, headers=headers_of(body))

    with on_uvicorn("chatops", environment) as url:
        linked = sent(workspace.view.commands_path, workspace.link())
        pressed = sent(workspace.view.interactions_path, workspace.press(plan, slack))
        helped = sent(workspace.view.commands_path, COMMAND)
        elsewhere = httpx.get(f"{url}/v1/plans", headers={"Authorization": f"Bearer {at_google.token('viewer')}"})
    (reply,) = at_google.envelopes("approvals")
    with on_google("approvals", environment) as function:
        answers = [function.message(reply), function.message(reply)]

    assert ("You are grace" in linked.text, "approve PLAN_ID" in helped.text) == (True, True)
    assert (pressed.status_code, pressed.content, elsewhere.status_code) == (200, b"", 404)
    assert [each.status for each in at_google.rows("SELECT status FROM plans")] == ["approved"]
    assert (answers, [status for status, _ in slack.told]) == ([204, 204], [200])
