"""scheduler: every minute, what is due and in nobody's message."""

from typing import TYPE_CHECKING, Any

from carapulse.runtime.functions import application
from carapulse.runtime.minute import do_minute

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

app = application("scheduler")


def lambda_handler(_event: dict[str, Any], _context: object) -> None:
    """Take EventBridge's tick."""
    do_minute(app)


def cloud_handler(_event: "CloudEvent") -> None:
    """Take the tick of Cloud Scheduler or of a Knative PingSource."""
    do_minute(app)
