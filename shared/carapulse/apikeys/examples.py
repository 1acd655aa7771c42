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

REVOKING: Final[Examples] = {"A key that was seen in a log": {"reason": "printed by the build of 14 November"}}

ROTATING: Final[Examples] = {
    "The old one works for an hour more": {"overlap_s": 3600},
    "The old one ends at once": {},
}
