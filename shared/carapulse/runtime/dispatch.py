"""From a delivered message to the handler of its type: the same for every kind of queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Invalid
from carapulse.kernel.message import Message
from carapulse.messaging import Consumers, Handler


@dataclass(frozen=True)
class Dispatcher:
    """Knows every handler and the queues that they need."""

    handlers: dict[str, tuple[type[Message], Handler]]

    @classmethod
    def of(cls, areas: Iterable[Consumers]) -> "Dispatcher":
        """Collect the handlers of several areas; two for one type is a bug."""
        handlers: dict[str, tuple[type[Message], Handler]] = {}
        for area in areas:
            twice = handlers.keys() & area.handlers.keys()
            if twice:
                raise ValueError(f"two handlers for {sorted(twice)}")
            handlers |= area.handlers
        return cls(handlers)

    @property
    def queues(self) -> list[str]:
        """The queues that these handlers read."""
        return sorted({kind.queue for kind, _ in self.handlers.values()})

    def only(self, queues: set[str]) -> "Dispatcher":
        """Return a dispatcher for just these queues."""
        return Dispatcher({name: each for name, each in self.handlers.items() if each[0].queue in queues})

    def without(self, queues: set[str]) -> "Dispatcher":
        """Return a dispatcher for all other queues."""
        return Dispatcher({name: each for name, each in self.handlers.items() if each[0].queue not in queues})

    def handle(self, kind: str, body: dict[str, Any], call: Call, ports: object) -> None:
        """Hand one message to its handler; Invalid if nobody knows its type or it doesn't fit it."""
        if kind not in self.handlers:
            raise Invalid("no handler knows this type of message", type=kind)
        model, handler = self.handlers[kind]
        try:
            message = model.model_validate(body)
        except ValidationError as error:
            raise Invalid(f"the message does not fit its type: {error}", type=kind) from error
        handler(message, call, ports)


def call_of(tenant: str, actor: dict[str, Any], trace: str, at: datetime) -> Call:
    """Return the call that a message continues: the same actor and trace, at this moment."""
    return Call(actor=Actor.model_validate(actor), tenant=tenant, at=at, trace=trace)
