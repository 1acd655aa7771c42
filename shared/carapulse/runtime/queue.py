"""One queue function, fed by SQS or by CloudEvents (Pub/Sub, Knative)."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Invalid, Problem
from carapulse.kernel.record import Record
from carapulse.observe import get_logger
from carapulse.runtime.dispatch import Dispatcher
from carapulse.tracing import Trace, traced

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from cloudevents.http import CloudEvent

PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished"

log = get_logger(__name__)


class Envelope(Record):
    """A message on its way through a queue of a cloud: what is to be done, and the call that it continues."""

    id: str = Field(min_length=1)
    tenant: str = Field(min_length=1)
    type: str = Field(min_length=1)
    body: dict[str, Any]
    actor: Actor
    trace: str = Field(pattern="^[0-9a-f]{32}$")


class QueueFunction:
    """Hands each message to the handler of its type. What fails goes back to the queue, which knows when to give up."""

    def __init__(self, ports: object, clock: Clock, dispatcher: Dispatcher) -> None:
        self._ports = ports
        self._clock = clock
        self._dispatcher = dispatcher

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
        self._handle(_content(event))

    def _on_record(self, record: "SQSRecord") -> None:
        self._handle(record.body)

    def _handle(self, content: Any) -> None:  # noqa: ANN401 - whatever a broker hands over
        envelope = _opened(content)
        call = Call(actor=envelope.actor, tenant=envelope.tenant, at=self._clock.now(), trace=envelope.trace)
        with traced(Trace(id=envelope.trace, span=Trace.begin().span)):
            try:
                self._dispatcher.handle(envelope.type, envelope.body, call, self._ports)
            except Problem as problem:
                facts = {"code": problem.code, "detail": problem.detail}
                log.warning("message_returned", message_id=envelope.id, type=envelope.type, **facts)
                raise
            except Exception:
                log.exception("message_failed", message_id=envelope.id, type=envelope.type)
                raise


def _opened(content: Any) -> Envelope:  # noqa: ANN401 - whatever a broker hands over
    try:
        if isinstance(content, dict):
            return Envelope.model_validate(content)
        return Envelope.model_validate_json(content)
    except ValidationError as error:
        log.warning("message_unreadable", faults=error.error_count())
        raise Invalid("the message is no envelope of ours") from error


def _content(event: "CloudEvent") -> Any:  # noqa: ANN401 - whatever a broker hands over
    """Return the envelope: Pub/Sub wraps it in base64, every other broker hands it on as it is."""
    data: Any = event.get_data()
    if event["type"] != PUBSUB:
        return data
    try:
        return base64.b64decode(data["message"]["data"], validate=True)
    except (TypeError, KeyError, binascii.Error) as error:
        raise Invalid("the event holds no Pub/Sub message") from error
