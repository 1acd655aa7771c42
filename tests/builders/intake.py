"""Sources, signed webhooks and the recorded notifications of Alertmanager."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

from carapulse.intake.model import Registration, Route, Source
from carapulse.intake.signing import sign

RECORDED = Path(__file__).parents[1] / "events" / "alertmanager"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret that only tests know, so").decode()


def recorded(name):
    """Return a recorded notification as its sender wrote it."""
    return (RECORDED / f"{name}.json").read_bytes().rstrip(b"\n")


def a_payload(name="firing_three_services"):
    return json.loads(recorded(name))


def a_route(**given):
    return Route.model_validate(
        {
            "name": "errors",
            "match": {"alertname": "HighErrorRate"},
            "workflow": "relight",
            "input": {"lamp": {"$from": "service"}},
        }
        | given
    )


def a_registration(**given):
    defaults = {"trust": "signed", "context": {"environment": "staging"}, "routes": [a_route().model_dump()]}
    return Registration.model_validate(defaults | given)


def a_source(**given):
    return Source(
        id="src_1", name="cluster-alerts", registration=a_registration(**given), created_at=NOON, updated_at=NOON
    )


def signed(body, *, webhook_id="msg_1", at=None, secret=SECRET):
    """Return the headers of a message signed as Standard Webhooks say."""
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secret, webhook_id, timestamp, body),
    }
