"""What a function on Lambda counted, said in its log as CloudWatch reads it: Embedded Metric Format, a line a sample.

Nobody can ask a function on Lambda for `/metrics`. So after each invocation it says by how much its numbers have grown
since the last one; CloudWatch adds them up over all of its processes. Durations are said by their count and their sum.
"""

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TextIO

from carapulse.kernel.clock import SystemClock
from carapulse.metrics import grown

_NAMESPACE: Final = "Carapulse"
Handler = Callable[[Any, Any], Any]


def measured(service: str, stream: TextIO | None = None) -> Callable[[Handler], Handler]:
    """Return what makes a handler of Lambda say what was counted during each invocation, also of one that fails."""

    def wrapping(handler: Handler) -> Handler:
        @wraps(handler)
        def answering(event: Any, context: Any) -> Any:  # noqa: ANN401 - Lambda's own types
            try:
                return handler(event, context)
            finally:
                _say(service, stream or sys.stdout)

        return answering

    return wrapping


def _say(service: str, stream: TextIO) -> None:
    for name, labels, amount in grown():
        dimensions = {"service": service, **labels}
        told = {
            "Namespace": _NAMESPACE,
            "Dimensions": [["service"], list(dimensions)] if labels else [["service"]],
            "Metrics": [{"Name": name, "Unit": "Seconds" if name.endswith("_seconds_sum") else "Count"}],
        }
        moment = int(SystemClock().now().timestamp() * 1000)
        line = {"_aws": {"Timestamp": moment, "CloudWatchMetrics": [told]}, **dimensions, name: amount}
        stream.write(json.dumps(line, separators=(",", ":")) + "\n")
    stream.flush()
