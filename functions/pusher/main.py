"""pusher: tells clients whose sockets API Gateway holds what happens, for a minute or until there are none."""

from typing import Any, Final

from carapulse.live.pusher import Pusher
from carapulse.runtime.functions import application
from carapulse.runtime.measured import measured

app = application("pusher")
_gateway = app.gateway  # Invalid here, at the start, where there is none

SECONDS: Final = 62.0
"""Longer than until the next minute begins, so that whoever comes then stands by when this one ends."""


@measured("pusher")
def lambda_handler(_event: dict[str, Any], _context: object) -> None:
    """Take the tick of a minute, or the call of whoever let a client in where nobody told any."""
    Pusher(app).run(SECONDS)
