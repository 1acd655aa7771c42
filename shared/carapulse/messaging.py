"""What a consumers.py may use: a list of message handlers, keyed by message type."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from carapulse.kernel.call import Call
from carapulse.kernel.message import Message

M = TypeVar("M", bound=Message)
P = TypeVar("P")
Handler = Callable[[Any, Call, Any], object]


@dataclass(frozen=True)
class Consumers:
    """The messages that an area listens to. Delivery is at least once: every handler must bear a repetition."""

    handlers: dict[str, tuple[type[Message], Handler]] = field(default_factory=dict)

    def on(self, kind: type[M]) -> Callable[[Callable[[M, Call, P], None]], Callable[[M, Call, P], None]]:
        """Register the handler of one message type."""

        def register(handler: Callable[[M, Call, P], None]) -> Callable[[M, Call, P], None]:
            self.handlers[kind.__name__] = (kind, handler)
            return handler

        return register
