"""What travels through a broker: a signed reference to a row, as a CloudEvent (structured mode, JSON).

It says where the message is and not what it says: that is read from the row, which was written with the state that asks
for it. So no broker sees a plan, no message is too long for one, and one that was sent twice finds its row gone.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from carapulse.broker.ports import Ready
from carapulse.kernel.canonical import canonical
from carapulse.kernel.errors import Denied, Invalid
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Marker
from carapulse.tracing import Trace

_PURPOSE: Final = "message of a broker"
TYPE_PREFIX: Final = "io.carapulse.message."
"""Before the name of a kind of message, in the attribute `type` of its CloudEvent."""

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class MessageForged(Denied):
    """The message was not written by this installation, or was changed on its way."""

    code = "message-forged"


class MessageUnreadable(Invalid):
    """What came is no message of ours."""

    code = "message-unreadable"


class Envelope(Record):
    """A CloudEvent 1.0 with the extension attributes `tenant`, `receipt` and `signature`, and `traceparent` of W3C."""

    specversion: Literal["1.0"] = "1.0"
    id: _Name
    source: _Name
    subject: _Name
    type: Annotated[str, Field(pattern=f"^{TYPE_PREFIX.replace('.', '[.]')}[A-Za-z]{{1,100}}$")]
    time: _Name
    traceparent: Annotated[str, Field(pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")]
    tenant: _Name
    receipt: Annotated[str, Field(pattern="^[0-9a-f-]{36}$")]
    signature: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def sealed(message: Ready, marker: Marker) -> str:
    """Return the envelope of a message, signed."""
    content = {
        "specversion": "1.0",
        "id": message.id,
        "source": f"/carapulse/queues/{message.queue}",
        "type": f"{TYPE_PREFIX}{message.type}",
        "subject": message.subject,
        "time": message.created_at.isoformat(),
        "traceparent": Trace(id=message.trace, span=Trace.begin().span).header,
        "tenant": message.tenant,
        "receipt": message.receipt,
    }
    return canonical({**content, "signature": marker.mark(_signed(content), _PURPOSE)}).decode()


def opened(text: Any, marker: Marker) -> Envelope:  # noqa: ANN401 - whatever a broker hands over
    """Return the envelope; raise MessageUnreadable for what is none, MessageForged for one that we did not sign."""
    try:
        given = isinstance(text, str | bytes)
        envelope = Envelope.model_validate_json(text) if given else Envelope.model_validate(text)
    except ValidationError as error:
        raise MessageUnreadable("the message is no envelope of ours") from error
    content = envelope.model_dump(mode="json", exclude={"signature"})
    if marker.marked_by(envelope.signature, _signed(content), _PURPOSE) is None:
        raise MessageForged("the message does not bear this installation's signature", message_id=envelope.id)
    return envelope


def _signed(content: dict[str, str]) -> str:
    return canonical(content).decode()
