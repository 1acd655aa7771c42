"""Workers outlive what they work on: a bug, a queue that fails, a message that nobody can read."""

import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from sqlalchemy import text
from tests.world.rig import a_call

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.queue import PostgresQueue
from carapulse.adapters.postgres.work import PostgresWork
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
class FailsOnce(PostgresQueue):
    """A queue whose first answer is a bug."""

    failed: threading.Event = field(default_factory=threading.Event)

    def take(self, *arguments: Any) -> Any:
        if not self.failed.is_set():
            self.failed.set()
            raise ZeroDivisionError
        return super().take(*arguments)


@pytest.fixture
def engine(database):
    engine = connect(database.app_url)
    yield engine
    engine.dispose()


def workers(queue, lamps, most=1):
    return Workers(queue, Dispatcher.of([lamps.consumers]), None, SystemClock(), 1, 5.0, most)


def send(engine):
    with PostgresWork(engine, a_call(), SystemClock()) as work:
        work.send(SwitchLamp(on=True))


def asked(database, query):
    with database.as_superuser() as connection:
        return connection.run(query)


def test_a_worker_outlives_a_queue_that_fails_as_none_should(engine):
    lamps = Lamps()
    send(engine)
    pool = workers(FailsOnce(engine), lamps)

    pool.start()
    for _ in range(100):
        if lamps.switched:
            break
        threading.Event().wait(0.05)
    pool.stop(5)

    assert lamps.switched == [True]


def test_whoever_waits_for_a_message_is_told_before_it_is_given_up(engine, database):
    lamps = Lamps(fails=ZeroDivisionError("NUL \0 and half \ud800"))
    send(engine)

    workers(PostgresQueue(engine), lamps).run_until_idle()

    assert lamps.given_up == ["ZeroDivisionError: NUL \ufffd and half ?"]
    assert asked(database, "SELECT count(*) FROM messages WHERE dead_at IS NOT NULL") == [[1]]


def test_a_message_is_not_given_up_until_whoever_waits_for_it_was_told(engine, database):
    lamps = Lamps(fails=ZeroDivisionError(), last_fails=ZeroDivisionError())
    send(engine)

    workers(PostgresQueue(engine), lamps).run_until_idle()

    assert asked(database, "SELECT attempts, dead_at FROM messages") == [[1, None]]


def test_a_message_that_ends_every_worker_is_given_up_in_the_end(engine, database):
    lamps = Lamps()
    send(engine)
    with PostgresWork(engine, a_call(), SystemClock()) as work:
        work.connection.execute(text("UPDATE messages SET attempts = 1000"))

    workers(PostgresQueue(engine), lamps).run_until_idle()

    assert (lamps.switched, len(lamps.given_up)) == ([], 1)
    assert asked(database, "SELECT count(*) FROM messages WHERE dead_at IS NOT NULL") == [[1]]


def test_a_message_of_nobody_ends_no_worker(engine):
    lamps = Lamps()
    send(engine)
    with PostgresWork(engine, a_call(), SystemClock()) as work:
        work.connection.execute(text('UPDATE messages SET actor = \'{"id": ""}\''))

    workers(PostgresQueue(engine), lamps).run_until_idle()

    assert lamps.switched == []
