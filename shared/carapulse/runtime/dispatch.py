"""From a delivered message to the handler of its type: the same for every kind of queue."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Invalid
from carapulse.kernel.message import Message
from carapulse.messaging import Consumers, Handler, LastHandler
from carapulse.rows import faults_in


@dataclass(frozen=True)
class Dispatcher:
    """Knows every handler and the queues that they need."""

    handlers: dict[str, tuple[type[Message], Handler]]
    last_handlers: dict[str, LastHandler] = field(default_factory=dict)

    @classmethod
    def of(cls, areas: Iterable[Consumers]) -> "Dispatcher":
        """Collect the handlers of several areas; two for one type is a bug."""
        handlers: dict[str, tuple[type[Message], Handler]] = {}
        last_handlers: dict[str, LastHandler] = {}
        for area in areas:
            twice = handlers.keys() & area.handlers.keys()
            if twice:
                raise ValueError(f"two handlers for {sorted(twice)}")
            handlers |= area.handlers
            last_handlers |= area.last_handlers
        return cls(handlers, last_handlers)

    @property
    def queues(self) -> list[str]:
        """The queues that these handlers read."""
        return sorted({kind.queue for kind, _ in self.handlers.values()})

    def only(self, queues: set[str]) -> "Dispatcher":
        """Return a dispatcher for just these queues."""
        return replace(self, handlers={name: each for name, each in self.handlers.items() if each[0].queue in queues})

    def without(self, queues: set[str]) -> "Dispatcher":
        """Return a dispatcher for all other queues."""
        return replace(
            self, handlers={name: each for name, each in self.handlers.items() if each[0].queue not in queues}
        )

    def handle(self, kind: str, body: Any, call: Call, ports: object) -> None:  # noqa: ANN401 - any JSON value
        """Hand one message to its handler; Invalid if nobody knows its type or it doesn't fit it."""
        message = self._message(kind, body)
        self.handlers[kind][1](message, call, ports)

    def give_up(self, delivered: tuple[str, Any], reason: str, call: Call, ports: object) -> None:
        """Tell whoever waits for a message (type, body) that it is given up; what nobody can read, nobody waits for."""
        kind, body = delivered
        try:
            message = self._message(kind, body)
        except Invalid:
            return
        if kind in self.last_handlers:
            self.last_handlers[kind](message, reason, call, ports)

    def _message(self, kind: str, body: Any) -> Message:  # noqa: ANN401 - any JSON value
        if kind not in self.handlers:
            raise Invalid("no handler knows this type of message", type=kind)
        try:
            return self.handlers[kind][0].model_validate(body)
        except ValidationError as error:
            raise Invalid(f"the message does not fit its type: {faults_in(error)}", type=kind) from error


def call_of(tenant: str, actor: Any, trace: str, at: datetime) -> Call:  # noqa: ANN401 - any JSON value
    """Return the call that a message continues: same actor, same trace, at this moment; Invalid if it names nobody."""
    try:
        return Call(actor=Actor.model_validate(actor), tenant=tenant, at=at, trace=trace)
    except ValidationError as error:
        raise Invalid(f"the message names nobody who could have sent it: {faults_in(error)}") from error
