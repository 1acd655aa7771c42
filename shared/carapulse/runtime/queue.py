"""One queue function, fed by SQS or by CloudEvents (Pub/Sub, Knative)."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from carapulse.bootstrap import App
from carapulse.broker.envelope import MessageUnreadable
from carapulse.broker.ports import Arrival
from carapulse.kernel.errors import Invalid, Problem
from carapulse.observe import get_logger
from carapulse.runtime.brokered import Reception, Rows
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.handling import Handling
from carapulse.tracing import Trace, traced

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from cloudevents.http import CloudEvent

PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished"

log = get_logger(__name__)


class QueueFunction:
    """Hands each message to the handler of its type.

    What fails is answered for in the table, which says when it is tried again; the broker gets back only what could
    not be admitted: what is not ours, and everything while the database is away.
    """

    def __init__(self, app: App, dispatcher: Dispatcher) -> None:
        if app.relay is None:
            raise Invalid("a queue function needs CARAPULSE_QUEUE, which says by which broker it is fed")
        self._hidden_s = app.settings.visibility_s
        self._reception = Reception.of(app)
        rows = Rows(app.queue, app.relay)
        self._handling = Handling(rows, dispatcher, app, app.clock, app.settings.max_deliveries)

    def from_sqs(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own type
        """Work through a batch; only what failed goes back to the queue."""
        # Imported here, because a container that never sees SQS shouldn't pay for it at its start.
        from aws_lambda_powertools.utilities.batch import (  # noqa: PLC0415
            BatchProcessor,
            EventType,
            process_partial_response,
        )

        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(event, self._on_record, processor, context))

    def from_cloud_event(self, event: "CloudEvent") -> None:
        """Work through one message; raising makes the sender try again."""
        self._take(Arrival(event["source"], _content(event), times=1, handle=None))

    def _on_record(self, record: "SQSRecord") -> None:
        queue = record.event_source_arn.rpartition(":")[2]
        times = int(record.attributes.approximate_receive_count)
        self._take(Arrival(queue, record.body, times, record.receipt_handle))

    def _take(self, arrival: Arrival) -> None:
        try:
            delivery = self._reception.admit(arrival, self._hidden_s)
            if delivery is None:
                return
            with traced(Trace(id=delivery.trace, span=Trace.begin().span)):
                self._handling.handle(delivery)
        except Problem as problem:
            log.warning("message_returned", code=problem.code, detail=problem.detail)
            raise
        except Exception:
            log.exception("message_failed")
            raise


def _content(event: "CloudEvent") -> Any:  # noqa: ANN401 - whatever a broker hands over
    """Return the envelope: Pub/Sub wraps it in base64; to every other broker it is the event itself."""
    if event["type"] != PUBSUB:
        return {name: value for name, value in event.get_attributes().items() if name != "datacontenttype"}
    data: Any = event.get_data()
    try:
        return base64.b64decode(data["message"]["data"], validate=True)
    except (TypeError, KeyError, binascii.Error) as error:
        raise MessageUnreadable("the event holds no Pub/Sub message") from error
