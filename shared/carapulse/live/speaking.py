"""What is said over a WebSocket, on both sides, whoever holds the socket."""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError, WithJsonSchema

from carapulse.kernel.errors import Problem
from carapulse.kernel.record import Record
from carapulse.live.errors import MessageRefused
from carapulse.live.feed import Item
from carapulse.live.model import Ask, End, Frame, Over, Position, Sign
from carapulse.wire import read_json

_AS_TOLD: Final = {"anyOf": [{"type": "string", "pattern": "^[0-9]{1,19}$"}, {"type": "integer", "minimum": 0}]}


class Subscribe(Ask):
    """A client wants other events from now on, or from another place; without `after` it stays where it is."""

    type: Literal["subscribe"]
    after: Annotated[Position, WithJsonSchema(_AS_TOLD)] | None = Field(
        None, description="the place to go on after, as it was told; 0 is the beginning"
    )


class Ping(Record):
    """A client asks for a sign of life."""

    type: Literal["ping"]


_MESSAGE: TypeAdapter[Subscribe | Ping] = TypeAdapter(Annotated[Subscribe | Ping, Field(discriminator="type")])


def read_message(message: str | None) -> Subscribe | Ping:
    """Return what a client says, None for what is no text or too long; raises MessageRefused."""
    if message is None:
        raise MessageRefused("a message must be text of at most 4096 bytes")
    try:
        return _MESSAGE.validate_python(read_json(message.encode()))
    except (Problem, ValidationError) as error:
        raise MessageRefused("a message must be a `subscribe` or a `ping` as the documentation has them") from error


def text_of(item: Item) -> str:
    """Return what is said to a client in one message."""
    if isinstance(item, Frame):
        return item.json
    after = str(item.position)
    if isinstance(item, Over):
        return End(type="end", code=item.code, detail=item.detail, after=after).model_dump_json()
    return Sign(type=item.kind, after=after).model_dump_json()
