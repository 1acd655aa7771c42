"""Keys for machines."""

from typing import Final

from carapulse.examples import Examples

KEYS: Final[Examples] = {
    "A pipeline that may only ask for changes in staging": {
        "name": "pipeline",
        "kind": "service",
        "roles": ["operator"],
        "scope": {"environments": ["staging"], "services": ["checkout"]},
        "expires_at": "2027-06-30T00:00:00Z",
    }
}
