"""Inputs of actions, to be checked without doing anything; these are of `kubectl.scale`."""

from typing import Final

from carapulse.examples import Examples

VALIDATING: Final[Examples] = {
    "Is this what the action takes?": {"input": {"resource": "deployment/checkout", "replicas": 5}},
    "And is there a connection for it there?": {
        "input": {"resource": "deployment/checkout", "replicas": 5},
        "context": {"environment": "staging", "namespace": "shop"},
    },
}
