"""Workflows as they are started, and as tenants write their own."""

from typing import Final

from carapulse.examples import Examples

STARTING: Final[Examples] = {
    "Scale a deployment": {
        "context": {"environment": "staging", "namespace": "shop", "service": "checkout"},
        "input": {"resource": "deployment/checkout", "replicas": 5, "current_at_most": 8},
        "summary": "Scale checkout to 5 for the sale",
    }
}
VERSIONS: Final[Examples] = {
    "Look at a service": {
        "description": "Look at a service, and say whether it answers.",
        "summary": {"$from": "join('', ['Probe ', input.url])"},
        "input": {
            "type": "object",
            "required": ["url"],
            "additionalProperties": False,
            "properties": {
                "url": {"type": "string", "maxLength": 500, "pattern": "^https?://"},
                "text": {"type": "string", "minLength": 1, "maxLength": 200},
            },
        },
        "examples": [
            {"url": "https://checkout.example.org/health"},
            {"url": "https://checkout.example.org/health", "text": "ok"},
        ],
        "steps": [
            {
                "id": "status",
                "stage": "verify",
                "tool": "http",
                "action": "probe",
                "input": {"url": {"$from": "input.url"}},
                "expect": [{"path": "status", "op": "eq", "value": 200}],
            },
            {
                "id": "text",
                "when": "input.text",
                "stage": "verify",
                "tool": "http",
                "action": "probe",
                "depends_on": ["status"],
                "input": {"url": {"$from": "input.url"}},
                "expect": [{"path": "text", "op": "contains", "value": {"$from": "input.text"}}],
            },
        ],
    }
}
