"""planning: looks into what sources reported, and makes or closes the plans of alerts."""

from typing import TYPE_CHECKING, Any

from carapulse.intake.consumers import consumers as intake
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.functions import application
from carapulse.runtime.queue import QueueFunction

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

app = application("planning")
run = QueueFunction(app, Dispatcher.of([intake]))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch from SQS; only what failed goes back."""
    return run.from_sqs(event, context)


def cloud_handler(event: "CloudEvent") -> None:
    """Take one message from Pub/Sub or a Knative trigger."""
    run.from_cloud_event(event)
