"""orchestration: tells a change's state machine what is next, and when it may go on."""

from typing import Any

from carapulse.kernel.errors import Invalid
from carapulse.orchestration.consumers import plans
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.functions import application
from carapulse.runtime.measured import measured
from carapulse.runtime.queue import QueueFunction

app = application("orchestration")
if app.settings.orchestrator != "step-functions":
    raise Invalid("this function is for CARAPULSE_ORCHESTRATOR=step-functions, where a state machine asks it")
run = QueueFunction(app, Dispatcher.of([plans]))


@measured("orchestration")
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch from SQS; only what failed goes back."""
    return run.from_sqs(event, context)
