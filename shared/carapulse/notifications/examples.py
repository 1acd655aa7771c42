"""Channels."""

from typing import Final

from carapulse.examples import Examples

PUTTING: Final[Examples] = {
    "A webhook that is told of what goes wrong in production": {
        "kind": "webhook",
        "url": "https://hooks.example.com/carapulse",
        "events": ["StepFailed", "StepUnknown", "ExecutionHeld", "ExecutionFinished"],
        "environments": ["production"],
    },
    "A channel of Slack that is asked for approval": {
        "kind": "slack",
        "url": "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX",
        "events": ["ApprovalRequested", "ApprovalDenied", "ApprovalExpired"],
        "risks": ["medium", "high"],
    },
}
ROTATING: Final[Examples] = {"Sign with the older secret, too, for an hour": {"older_for_s": 3600}}
