"""notifications: tells people, by the channels of their tenant."""

from typing import TYPE_CHECKING, Any

from carapulse.notifications.consumers import consumers as notifications
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.functions import application
from carapulse.runtime.measured import measured
from carapulse.runtime.queue import QueueFunction

if TYPE_CHECKING:
    from flask import Request

    from carapulse.runtime.door import Answer

app = application("notifications")
run = QueueFunction(app, Dispatcher.of([notifications]))


@measured("notifications")
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch from SQS; only what failed goes back."""
    return run.from_sqs(event, context)


def cloud_handler(request: "Request") -> "Answer":
    """Take one message that Pub/Sub pushes, or a CloudEvent of a Knative trigger."""
    return run.from_http(request)
