"""What is to be asked of systems again and again."""

from typing import Final

from carapulse.examples import Examples

PUTTING: Final[Examples] = {
    "What a cluster runs in two namespaces": {
        "system": "kubectl",
        "context": {"environment": "prod", "cluster_id": "eu-1"},
        "every_s": 300,
        "input": {"namespaces": ["shop", "payments"]},
    },
    "What a Prometheus watches": {"system": "prometheus", "context": {"environment": "staging"}},
}
