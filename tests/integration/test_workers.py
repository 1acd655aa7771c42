"""Workers outlive what they work on: a bug, a queue that fails, a message that nobody can read."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from tests.builders.queues import a_queue
from tests.builders.switching import Lamps, send, workers
from tests.world.rig import a_call

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.queue import PostgresQueue
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import NotFound, Unavailable
from carapulse.metrics import show_metrics
from carapulse.runtime.pausing import pause_s


@dataclass(frozen=True)
class FailsOnce:
    """A queue whose first answer is a bug."""

    queue: PostgresQueue
    failed: threading.Event = field(default_factory=threading.Event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queue, name)

    def take(self, *arguments: Any) -> Any:
        if not self.failed.is_set():
            self.failed.set()
            raise ZeroDivisionError
        return self.queue.take(*arguments)


class Together(list[bool]):
    """Takes nothing before everybody is there."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self.barrier = barrier

    def append(self, on: Any) -> None:
        self.barrier.wait()
        super().append(on)


@dataclass(frozen=True)
class GivesTwice:
    """A queue that gives two workers the same message, as after a heartbeat that was missed."""

    queue: PostgresQueue
    given: list[Any] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queue, name)

    def take(self, *arguments: Any) -> Any:
        with self.turn:
            self.given.extend(2 * self.queue.take(*arguments))
            return [self.given.pop()] if self.given else []


@pytest.fixture
def engine(database):
    engine = connect(database.app_url)
    yield engine
    engine.dispose()


def asked(database, query):
    with database.as_superuser() as connection:
        return connection.run(query)


def test_a_worker_outlives_a_queue_that_fails_as_none_should(engine):
    lamps = Lamps()
    send(engine)
    pool = workers(FailsOnce(a_queue(engine)), lamps)  # type: ignore[arg-type]

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

    workers(a_queue(engine), lamps).run_until_idle()

    assert lamps.given_up == ["ZeroDivisionError: NUL \ufffd and half ?"]
    assert asked(database, "SELECT count(*) FROM messages WHERE dead_at IS NOT NULL") == [[1]]


def test_a_message_is_not_given_up_until_whoever_waits_for_it_was_told(engine, database):
    lamps = Lamps(fails=ZeroDivisionError(), last_fails=ZeroDivisionError())
    send(engine)

    workers(a_queue(engine), lamps).run_until_idle()

    assert asked(database, "SELECT attempts, dead_at FROM messages") == [[1, None]]


def test_a_message_that_ends_every_worker_is_given_up_in_the_end(engine, database):
    lamps = Lamps()
    send(engine)
    with PostgresWork(engine, a_call(), SystemClock()) as work:
        work.connection.execute(text("UPDATE messages SET attempts = 1000"))

    workers(a_queue(engine), lamps).run_until_idle()

    assert (lamps.switched, len(lamps.given_up)) == ([], 1)
    assert asked(database, "SELECT count(*) FROM messages WHERE dead_at IS NOT NULL") == [[1]]


def test_a_message_that_concerns_what_is_not_there_is_given_up_although_nobody_can_be_told(engine, database):
    gone = NotFound("there is no such lamp")
    lamps = Lamps(fails=gone, last_fails=gone)
    send(engine)

    workers(a_queue(engine), lamps).run_until_idle()

    assert asked(database, "SELECT last_error FROM messages WHERE dead_at IS NOT NULL") == [
        ["not-found: there is no such lamp"]
    ]


def test_a_message_stays_while_whoever_waits_for_it_cannot_be_reached(engine, database):
    lamps = Lamps(fails=ZeroDivisionError(), last_fails=Unavailable("nobody answers"))
    send(engine)

    workers(a_queue(engine), lamps).run_until_idle()

    assert asked(database, "SELECT attempts, dead_at FROM messages") == [[1, None]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ('actor = \'{"id": ""}\'', "invalid: the message names nobody who could have sent it: id: "),
        ("actor = '[]'", "invalid: the message names nobody who could have sent it: all of it: "),
        ("body = '[1]'", "invalid: the message does not fit its type: all of it: "),
        ('body = \'{"on": "hunter2"}\'', "invalid: the message does not fit its type: on: "),
        (f"body = '{'9' * 5000}'", "invalid: the message does not fit its type: all of it: "),
        (f"body = '{'[' * 5000 + ']' * 5000}'", "invalid: the message does not fit its type: all of it: "),
        ("type = 'Unheard'", "invalid: no handler knows this type of message"),
    ],
    ids=["no actor", "a list as actor", "a list", "no truth", "a large number", "a deep list", "an unknown type"],
)
def test_a_message_that_nobody_can_read_is_given_up_with_its_reason_and_keeps_nothing_waiting(
    engine, database, caplog, change, why
):
    lamps = Lamps()
    send(engine)
    asked(database, f"UPDATE messages SET {change}")
    send(engine, on=False)
    before = buried()

    workers(a_queue(engine), lamps, most=8).run_until_idle()

    ((reason,),) = asked(database, "SELECT last_error FROM messages WHERE dead_at IS NOT NULL")
    assert reason.startswith(why)
    assert "hunter2" not in reason
    assert lamps.switched == [False]
    assert [each.levelname for each in caplog.records if each.msg == "message_dead"] == ["ERROR"]
    assert buried() == before + 1


def test_a_worker_asks_a_queue_that_fails_less_and_less_often_but_never_gives_up():
    longest = [max(pause_s(failures, 5.0) for _ in range(50)) for failures in (1, 3, 5, 100)]
    shortest = [min(pause_s(failures, 5.0) for _ in range(50)) for failures in (1, 3, 5, 100)]

    assert all(most <= limit for most, limit in zip(longest, (0.2, 0.8, 3.2, 5.0), strict=True))
    assert all(least >= limit / 2 for least, limit in zip(shortest, (0.2, 0.8, 3.2, 5.0), strict=True))


def buried() -> float:
    """Return how many messages of this queue were given up, as the numbers say."""
    shown = show_metrics().decode()
    found = re.search(r'carapulse_messages_buried_total\{queue="lamps"\} (\S+)', shown)
    return float(found[1]) if found else 0.0


def test_two_workers_that_are_at_the_same_message_do_not_disturb_each_other(engine, database):
    both, lamps = threading.Barrier(2, timeout=10), Lamps()
    lamps.switched = Together(both)
    send(engine)
    pool = workers(GivesTwice(a_queue(engine)), lamps)  # type: ignore[arg-type]

    others = [threading.Thread(target=pool.run_until_idle) for _ in range(2)]
    for each in others:
        each.start()
    for each in others:
        each.join()

    assert (len(lamps.switched), lamps.given_up) == (2, [])
    assert asked(database, "SELECT count(*) FROM messages") == [[0]]
