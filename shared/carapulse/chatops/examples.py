"""Workspaces, and what Slack sends."""

import json
from typing import Any, Final
from urllib.parse import urlencode

from carapulse.chatops.forms import MEDIA_TYPE
from carapulse.examples import Examples

REGISTERING: Final[Examples] = {
    "A workspace of Slack, with the signing secret of its app": {
        "kind": "slack",
        "team_id": "T0001AB23",
        "signing_secret": "8f742231b10e8888abcd99yyyzzz85a5",
    }
}


def form(said: str, *required: str, **sent: str) -> dict[str, Any]:
    """Return a route's `openapi_extra` for a form that Slack sends."""
    properties = {name: {"type": "string"} for name in sent}
    schema = {"type": "object", "required": list(required), "properties": properties}
    named = said.lower().replace(" ", "-").replace("/", "")
    content = {"schema": schema, "examples": {named: {"summary": said, "value": urlencode(sent)}}}
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: content}}}


COMMANDING: Final = form(
    "Somebody types /carapulse plans",
    *("team_id", "channel_id", "user_id", "response_url"),
    team_id="T0001AB23",
    channel_id="C2147483705",
    user_id="U2147483697",
    command="/carapulse",
    text="plans",
    response_url="https://hooks.slack.com/commands/1234/5678",
)
_PRESSED: Final = {
    "type": "block_actions",
    "team": {"id": "T0001AB23"},
    "user": {"id": "U2147483697"},
    "channel": {"id": "C2147483705"},
    "response_url": "https://hooks.slack.com/actions/1234/5678",
    "actions": [
        {
            "type": "button",
            "action_id": "carapulse.approve",
            "value": f"plan_{'0' * 32} sha256:{'0' * 64}",
        }
    ],
}
PRESSING: Final = form("Somebody presses a button", "payload", payload=json.dumps(_PRESSED))
