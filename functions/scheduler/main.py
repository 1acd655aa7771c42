"""scheduler: every minute, what is due and in nobody's message."""

from functools import partial
from typing import TYPE_CHECKING, Any

from carapulse.runtime.door import Answer, Door
from carapulse.runtime.functions import application
from carapulse.runtime.measured import measured
from carapulse.runtime.minute import do_minute

if TYPE_CHECKING:
    from flask import Request

app = application("scheduler")
_door = Door.of(app)


@measured("scheduler")
def lambda_handler(_event: dict[str, Any], _context: object) -> None:
    """Take EventBridge's tick."""
    do_minute(app)


def cloud_handler(request: "Request") -> Answer:
    """Take the tick of Cloud Scheduler or of a Knative PingSource."""
    return _door.answer_tick(request, partial(do_minute, app))
