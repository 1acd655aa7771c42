"""What Slack sends: signed forms of slash commands and of buttons."""

import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

from carapulse.chatops.signing import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, ADA, GRACE = "T0001AB23", "U0000ADA1", "U000GRACE"
HOOK = "https://hooks.slack.com/commands/1234/5678"
_once = iter(range(1_000_000))


def headers_of(body, *, secret=SECRET, at=None):
    """Return the headers of a request that Slack signed."""
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    return {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": sign(secret, timestamp, body),
    }


def a_command(text, *, user=ADA, team=TEAM, **more):
    """Return the body of a slash command; no two are alike, as Slack's `trigger_id` sees to it."""
    fields = {
        "team_id": team,
        "channel_id": "C2147483705",
        "user_id": user,
        "command": "/carapulse",
        "text": text,
        "response_url": HOOK,
        "trigger_id": f"{time.time_ns()}.{next(_once)}",
    }
    return urlencode({**fields, **more}).encode()


def a_press(action_id, value, *, user=ADA, team=TEAM, response_url=HOOK, **more):
    """Return the body of a pressed button."""
    payload = {
        "type": "block_actions",
        "team": {"id": team, "domain": "acme"},
        "user": {"id": user, "username": "somebody"},
        "channel": {"id": "C2147483705", "name": "ops"},
        "trigger_id": f"{time.time_ns()}.{next(_once)}",
        "response_url": response_url,
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1.2"}],
        **more,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()
