"""Plans as people ask for them."""

from typing import Final

from carapulse.examples import Examples

PLANS: Final[Examples] = {
    "Scale a deployment and see that it answers": {
        "summary": "Scale checkout to 5 for the sale",
        "intent": "The sale begins at noon, and checkout answered slowly at the last one.",
        "context": {"environment": "staging", "cluster_id": "eu-1", "namespace": "shop", "service": "checkout"},
        "steps": [
            {
                "id": "look",
                "stage": "diagnose",
                "tool": "kubectl",
                "action": "get_scale",
                "input": {"resource": "deployment/checkout"},
            },
            {
                "id": "scale",
                "stage": "act",
                "tool": "kubectl",
                "action": "scale",
                "input": {"resource": "deployment/checkout", "replicas": 5},
                "depends_on": ["look"],
            },
            {
                "id": "answers",
                "stage": "verify",
                "tool": "http",
                "action": "probe",
                "input": {"url": "https://checkout.example.org/health"},
                "depends_on": ["scale"],
                "expect": [{"path": "status", "op": "eq", "value": 200}],
                "retry": {"attempts": 5, "backoff_s": 2, "max_backoff_s": 20},
            },
        ],
        "constraints": {"max_targets": 1, "deadline_s": 900},
    },
    "Let a workflow make the steps": {
        "summary": "Scale checkout to 5",
        "context": {"environment": "staging", "namespace": "shop"},
        "workflow": {"name": "scale_service", "input": {"resource": "deployment/checkout", "replicas": 5}},
    },
    "Only look": {
        "summary": "Does checkout answer?",
        "context": {"environment": "prod", "service": "checkout"},
        "steps": [
            {
                "stage": "verify",
                "tool": "http",
                "action": "probe",
                "input": {"url": "https://checkout.example.org/health"},
            }
        ],
    },
}
REVISIONS: Final[Examples] = {
    "Fewer than was asked for": {
        "summary": "Scale checkout to 4 for the sale",
        "context": {"environment": "staging", "namespace": "shop", "service": "checkout"},
        "workflow": {"name": "scale_service", "input": {"resource": "deployment/checkout", "replicas": 4}},
    }
}
CLOSING: Final[Examples] = {"It is not needed any more": {"reason": "The sale was put off"}}
CANCELLING: Final[Examples] = {"Somebody else did it": {"reason": "Done by hand at 11:40"}}
