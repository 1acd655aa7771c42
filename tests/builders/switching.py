"""One kind of message, what comes of it, and workers for it."""

from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import Engine
from tests.world.rig import a_call

from carapulse.adapters.postgres.queue import PostgresQueue
from carapulse.bootstrap.work import Work
from carapulse.kernel.call import Call
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.message import Message
from carapulse.messaging import Consumers
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.workers import Workers


class SwitchLamp(Message):
    queue: ClassVar[str] = "lamps"
    on: bool


@dataclass
class Lamps:
    """What happened to messages."""

    switched: list[bool] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    fails: BaseException | None = None
    last_fails: BaseException | None = None

    @property
    def consumers(self) -> Consumers:
        consumers = Consumers()

        @consumers.on(SwitchLamp)
        def switch(message: SwitchLamp, _call: Call, _ports: object) -> None:
            if self.fails is not None:
                raise self.fails
            self.switched.append(message.on)

        @consumers.on_giving_up(SwitchLamp)
        def give_up(_message: SwitchLamp, reason: str, _call: Call, _ports: object) -> None:
            if self.last_fails is not None:
                raise self.last_fails
            self.given_up.append(reason)

        return consumers


@dataclass(frozen=True)
class Ports:
    """An application with nothing but a database."""

    engine: Engine

    def begin(self, call: Call) -> Work:
        return Work(self.engine, call, SystemClock())


def workers(queue: PostgresQueue, lamps: Lamps, most: int = 1, visibility_s: float = 5.0) -> Workers:
    """Return a pool of one, which gives a message up after so many deliveries."""
    return Workers(queue, Dispatcher.of([lamps.consumers]), None, SystemClock(), 1, visibility_s, most)


def send(engine: Engine, *, on: bool = True, tenant: str = "acme") -> None:
    """Send one message."""
    with Ports(engine).begin(a_call(tenant=tenant)) as work:
        work.send(SwitchLamp(on=on))
