"""One queue function, fed by SQS, or over HTTP by pushes of Pub/Sub or by CloudEvents."""

from functools import partial
from typing import TYPE_CHECKING, Any

from carapulse.adapters.gcp import push
from carapulse.bootstrap import App
from carapulse.broker.envelope import MessageUnreadable
from carapulse.broker.ports import Arrival
from carapulse.kernel.errors import Invalid, Problem
from carapulse.observe import get_logger
from carapulse.runtime import cloudevents
from carapulse.runtime.brokered import Reception, Rows
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.door import Answer, Door
from carapulse.runtime.handling import Handling
from carapulse.tracing import Trace, traced

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from flask import Request

log = get_logger(__name__)


class QueueFunction:
    """Hands each message to the handler of its type.

    What fails is answered for in the table, which says when it is tried again; the broker gets back only what could
    not be admitted: what is not ours, and everything while the database is away.
    """

    def __init__(self, app: App, dispatcher: Dispatcher) -> None:
        if app.relay is None:
            raise Invalid("a queue function needs CARAPULSE_QUEUE, which says by which broker it is fed")
        self._door = Door.of(app)
        self._hidden_s = app.settings.visibility_s
        self._reception = Reception.of(app)
        rows = Rows(app.queue, app.relay)
        self._handling = Handling(rows, dispatcher, app, app.clock, app.settings.max_deliveries)

    def from_sqs(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own type
        """Work through a batch; only what failed goes back to the queue.

        Nobody extends what is hidden here, so it is for as long as the function may go on.
        """
        # Imported here, because a container that never sees SQS shouldn't pay for it at its start.
        from aws_lambda_powertools.utilities.batch import (  # noqa: PLC0415
            BatchProcessor,
            EventType,
            process_partial_response,
        )

        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        hidden_s = max(self._hidden_s, context.get_remaining_time_in_millis() / 1000)
        return dict(process_partial_response(event, partial(self._on_record, hidden_s), processor, context))

    def from_http(self, request: "Request") -> Answer:
        """Work through one message; every answer but success makes the sender try again."""
        return self._door.answer(request, self._on_request)

    def _on_request(self, request: "Request", body: bytes) -> None:
        if self._door.push == "google":
            self._take(self._pushed(body), self._hidden_s)
        else:
            event = cloudevents.read_cloud_event(dict(request.headers), body)
            self._take(cloudevents.arrival_of(event), self._hidden_s)

    def _pushed(self, body: bytes) -> Arrival:
        try:
            return push.arrival_of(body)
        except MessageUnreadable as problem:
            self._reception.report(Arrival("push", body, times=1, handle=None), problem)
            raise

    def _on_record(self, hidden_s: float, record: "SQSRecord") -> None:
        queue = record.event_source_arn.rpartition(":")[2]
        times = int(record.attributes.approximate_receive_count)
        self._take(Arrival(queue, record.body, times, record.receipt_handle), hidden_s)

    def _take(self, arrival: Arrival, hidden_s: float) -> None:
        try:
            delivery = self._reception.admit(arrival, hidden_s)
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
