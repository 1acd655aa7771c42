"""An Alertmanager's part: the registration that grace makes for it, and the notifications that it signs and sends."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

import httpx

from carapulse.intake.signing import sign
from carapulse.kernel.clock import SystemClock
from carapulse.surfaces.demo.installation import ENVIRONMENT, REPOSITORY
from carapulse.surfaces.demo.repository import BRANCH, DECLARATION, declaration
from carapulse.surfaces.demo.world import World

SOURCE: Final = "alertmanager"
GOOD: Final = "1.4.0"
WHERE: Final = {"repo": REPOSITORY, "branch": BRANCH, "path": DECLARATION}
_TIMEOUT_S: Final = 5.0


def registration(world: World) -> dict[str, Any]:
    """Return what grace registers: which alerts lead to which workflow, and where that may happen.

    The runbook behind it: when checkout fails after a release, go back to the last release that was good.
    """
    return {
        "kind": "alertmanager",
        "trust": "signed",
        "context": {"environment": ENVIRONMENT},
        "routes": [
            {
                "name": "checkout-errors",
                "match": {"alertname": "HighErrorRate", "service": "checkout"},
                "workflow": "incident_remediation",
                "context": {"service": {"$from": "service"}},
                "input": remediation(world),
            }
        ],
    }


def remediation(world: World) -> dict[str, Any]:
    """Return how the incident is to be looked into, what is to be done, and what must hold afterwards."""
    ordering = ordering_works(world, GOOD)
    return {
        "service": {"$from": "service"},
        "symptom": {"tool": ordering["tool"], "action": ordering["action"], "input": ordering["input"]},
        "remediation": {"tool": "git", "action": "commit_file", "input": change(GOOD, f"Go back to checkout {GOOD}")},
        "check": {name: ordering[name] for name in ("tool", "action", "input", "expect")}
        | {"attempts": 8, "every_s": 1},
    }


def change(version: str, message: str) -> dict[str, Any]:
    """Return the input of the one step that changes something: what the repository is to declare."""
    return {**WHERE, "content": declaration(version), "message": message}


@dataclass
class Alertmanager:
    """Sends what a real Alertmanager sent, recorded once, about the service of the demo."""

    url: str
    secret: str

    def notify(self, status: str, summary: str, delivery: str | None = None) -> httpx.Response:
        """Send a notification, signed as Standard Webhooks say; a delivery sent again keeps its id."""
        return self.send(self.secret, payload(status, summary), delivery or f"msg_{secrets.token_hex(8)}")

    def send(self, secret: str, body: bytes, delivery: str) -> httpx.Response:
        """Send any body, signed with any secret."""
        timestamp = str(int(SystemClock().now().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": delivery,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign(secret, delivery, timestamp, body),
        }
        return httpx.post(self.url, content=body, headers=headers, timeout=_TIMEOUT_S, trust_env=False)


def payload(status: str, summary: str) -> bytes:
    """Return the recorded notification with the moment and the measurement of now."""
    recorded = json.loads(files("carapulse.surfaces.demo").joinpath("alert.json").read_bytes())
    now = _rfc3339(SystemClock().now())
    recorded["status"] = status
    recorded["commonAnnotations"]["summary"] = summary
    for alert in recorded["alerts"]:
        alert |= {"status": status, "startsAt": now}
        alert["annotations"]["summary"] = summary
        if status == "resolved":
            alert["endsAt"] = now
    return json.dumps(recorded).encode()


def ordering_works(world: World, version: str, longest_ms: int = 250) -> dict[str, Any]:
    """Return the check that a customer would make: an order is taken, by this release, without waiting."""
    return {
        "tool": "http",
        "action": "probe",
        "input": {"url": world.service_url},
        "expect": [
            {"path": "status", "op": "eq", "value": 200},
            {"path": "json.version", "op": "eq", "value": version},
            {"path": "elapsed_ms", "op": "lt", "value": longest_ms},
        ],
    }


def reconciler_runs(world: World, version: str) -> dict[str, Any]:
    """Return the check that what was declared is what runs, in the words of Argo CD."""
    return {
        "tool": "http",
        "action": "probe",
        "input": {"url": world.reconciler_url},
        "expect": [
            {"path": "json.status.sync.status", "op": "eq", "value": "Synced"},
            {"path": "json.status.health.status", "op": "eq", "value": "Healthy"},
            {"path": "json.status.summary.images", "op": "contains", "value": f"checkout:{version}"},
        ],
    }


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
