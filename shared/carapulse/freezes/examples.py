"""Freezes and windows as people declare them."""

from typing import Final

from carapulse.examples import Examples

FREEZES: Final[Examples] = {
    "No changes while many people shop": {
        "name": "black-friday",
        "environments": ["prod"],
        "services": ["checkout", "payments"],
        "starts_at": "2027-11-26T00:00:00+01:00",
        "until": "2027-11-29T00:00:00+01:00",
        "reason": "Many people shop",
    },
    "No changes from now on": {"name": "incident-42", "environments": ["preprod"], "reason": "We look for a cause"},
}
CHANGING_FREEZES: Final[Examples] = {"A day longer": {"until": "2027-11-30T00:00:00+01:00"}}
WINDOWS: Final[Examples] = {
    "Two nights a week": {
        "name": "quiet-nights",
        "environments": ["prod"],
        "timezone": "Europe/Berlin",
        "weekly": [{"days": ["tue", "thu"], "start": "22:00", "end": "04:00"}],
        "description": "When few people shop",
    }
}
CHANGING_WINDOWS: Final[Examples] = {
    "One night less": {"weekly": [{"days": ["tue"], "start": "22:00", "end": "04:00"}]},
}
