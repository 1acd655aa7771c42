"""planning: looks into what sources reported, and makes or closes the plans of alerts and schedules."""

from typing import TYPE_CHECKING, Any

from carapulse.intake.consumers import consumers as intake
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.functions import application
from carapulse.runtime.measured import measured
from carapulse.runtime.queue import QueueFunction
from carapulse.schedules.consumers import consumers as schedules

if TYPE_CHECKING:
    from flask import Request

    from carapulse.runtime.door import Answer

app = application("planning")
run = QueueFunction(app, Dispatcher.of([intake, schedules]))


@measured("planning")
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch from SQS; only what failed goes back."""
    return run.from_sqs(event, context)


def cloud_handler(request: "Request") -> "Answer":
    """Take one message that Pub/Sub pushes, or a CloudEvent of a Knative trigger."""
    return run.from_http(request)
