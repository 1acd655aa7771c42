"""approvals: closes what nobody answered, or used, in time, and tells chats what came of buttons."""

from typing import TYPE_CHECKING, Any

from carapulse.approvals.consumers import consumers as approvals
from carapulse.chatops.consumers import consumers as chatops
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.functions import application
from carapulse.runtime.measured import measured
from carapulse.runtime.queue import QueueFunction

if TYPE_CHECKING:
    from flask import Request

    from carapulse.runtime.door import Answer

app = application("approvals")
run = QueueFunction(app, Dispatcher.of([approvals, chatops]))


@measured("approvals")
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch from SQS; only what failed goes back."""
    return run.from_sqs(event, context)


def cloud_handler(request: "Request") -> "Answer":
    """Take one message that Pub/Sub pushes, or a CloudEvent of a Knative trigger."""
    return run.from_http(request)
