"""Questions about who may do what."""

from typing import Final

from carapulse.examples import Examples

CHECKING: Final[Examples] = {
    "May I ask for a change there?": {
        "action": "plan:create",
        "context": {"environment": "staging", "service": "checkout"},
    },
    "May somebody else?": {
        "action": "plan:create",
        "context": {"environment": "prod"},
        "somebody": {"actor": "grace", "kind": "person", "roles": ["viewer"]},
    },
}
