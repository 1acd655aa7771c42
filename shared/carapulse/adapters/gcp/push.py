"""What a push subscription of Pub/Sub sends: one message, wrapped (`PubsubWrapper` without `NoWrapper`)."""

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from carapulse.broker.envelope import MessageUnreadable
from carapulse.broker.ports import Arrival
from carapulse.kernel.errors import Invalid
from carapulse.wire import read_json


class _Pushed(BaseModel):
    """Part of a push, of which Google may send more than is read here."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Message(_Pushed):
    data: str


class _Push(_Pushed):
    message: _Message
    subscription: Annotated[str, Field(pattern=r"^projects/[^/\s]{1,100}/subscriptions/[^/\s]{1,255}$")]
    attempt: Annotated[int, Field(alias="deliveryAttempt", ge=1)] = 1
    """Told where the subscription has a dead-letter topic, and nowhere else."""


def arrival_of(body: bytes) -> Arrival:
    """Return the message and how often it came; MessageUnreadable for what is no push, or one without its wrapper."""
    try:
        push = _Push.model_validate(read_json(body))
        text = base64.b64decode(push.message.data, validate=True)
    except (Invalid, ValidationError, binascii.Error, ValueError) as error:
        raise MessageUnreadable("the body is no push of Pub/Sub: a wrapped message and its subscription") from error
    return Arrival(push.subscription.rpartition("/")[2], text, push.attempt, handle=None)
