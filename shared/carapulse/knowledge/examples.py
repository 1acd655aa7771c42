"""What people write down for the next time."""

from typing import Final

from carapulse.examples import Examples

PLAYBOOKS: Final[Examples] = {
    "How a kind of situation is met": {
        "name": "Errors after a deployment",
        "tags": ["errors", "deployment"],
        "spec": {"first": "compare the revisions", "then": "gitops_deploy", "ask": "payments"},
    }
}
RUNBOOKS: Final[Examples] = {
    "What a person does": {
        "service": "checkout",
        "name": "High error rate",
        "tags": ["errors"],
        "body": "# High error rate\n\n1. Look whether the payment provider answers.\n2. Scale checkout to 5.\n",
        "spec": {"workflow": "scale_service"},
    }
}
REVISING: Final[Examples] = {"Other tags, and one member less": {"tags": ["errors", "prod"], "spec": {"ask": None}}}
MEMORIES: Final[Examples] = {
    "What was learnt": {
        "title": "checkout needs two minutes to be ready",
        "body": "Its cache is filled before it answers; a probe before that says 503.",
        "tags": ["checkout"],
        "metadata": {"plan": "plan_01a21cdca5817a39a2cb6f9a9e01243d"},
    }
}
REMEMBERING: Final[Examples] = {"It became faster": {"title": "checkout needs half a minute to be ready"}}
