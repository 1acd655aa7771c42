"""LocalStack as it is, but for one defect: run by its own environment, which knows nothing of ours.

An answer to a task token that comes before LocalStack has begun to listen for heartbeats is accepted and never looked
at, so the machine times out after `HeartbeatSeconds`. Step Functions knows no such moment: the token is good as soon as
the message is out. Our workers answer within milliseconds, so most runs of many machines met it.
"""

from localstack.runtime.main import main  # type: ignore[import-not-found]
from localstack.services.stepfunctions.asl.eval.callback.callback import (  # type: ignore[import-not-found]
    CallbackEndpoint,
    HeartbeatEndpoint,
)

_set_up = CallbackEndpoint.setup_heartbeat_endpoint


def _set_up_and_look(self: CallbackEndpoint, heartbeat_seconds: int) -> HeartbeatEndpoint:
    endpoint = _set_up(self, heartbeat_seconds)
    if self.get_outcome() is not None:  # whoever answered did not see the endpoint, so we see the answer
        endpoint.notify()
    return endpoint


CallbackEndpoint.setup_heartbeat_endpoint = _set_up_and_look

if __name__ == "__main__":
    main()
