"""What a consumers.py may use: a list of message handlers, keyed by message type."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from carapulse.kernel.call import Call
from carapulse.kernel.message import Message

M = TypeVar("M", bound=Message)
P = TypeVar("P")
Handler = Callable[[Any, Call, Any], object]
LastHandler = Callable[[Any, str, Call, Any], object]


@dataclass(frozen=True)
class Consumers:
    """The messages that an area listens to. Delivery is at least once: every handler must bear a repetition."""

    handlers: dict[str, tuple[type[Message], Handler]] = field(default_factory=dict)
    last_handlers: dict[str, LastHandler] = field(default_factory=dict)

    def on(self, kind: type[M]) -> Callable[[Callable[[M, Call, P], None]], Callable[[M, Call, P], None]]:
        """Register the handler of one message type."""

        def register(handler: Callable[[M, Call, P], None]) -> Callable[[M, Call, P], None]:
            self.handlers[kind.__name__] = (kind, handler)
            return handler

        return register

    def on_giving_up(
        self, kind: type[M]
    ) -> Callable[[Callable[[M, str, Call, P], None]], Callable[[M, str, Call, P], None]]:
        """Register what is done before a message of a type is given up, so that nothing waits for it for ever.

        It gets the message and why it was given up, and must bear a repetition too.
        """

        def register(handler: Callable[[M, str, Call, P], None]) -> Callable[[M, str, Call, P], None]:
            self.last_handlers[kind.__name__] = handler
            return handler

        return register
