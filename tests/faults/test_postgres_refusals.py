"""What a working database refuses or leaves hanging: callers are told to come again, and messages do come again."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import Connection, text
from tests.builders.caller import Caller
from tests.builders.log import StepFinished
from tests.builders.queues import a_queue
from tests.builders.switching import Ports, SwitchLamp, send
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world

from carapulse.adapters.postgres.engine import connect
from carapulse.bootstrap.work import Work
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Unavailable
from carapulse.messaging import Consumers
from carapulse.observe import FACTS
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.workers import Workers

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
QUICK = {"lock_timeout": "200ms", "statement_timeout": "5s"}
LOCK = text("SELECT pg_advisory_xact_lock(:key)")
NAP = text("SELECT pg_sleep(2)")
PID = text("SELECT pg_backend_pid()")
HEAD = text("UPDATE streams SET seq = seq WHERE stream = 'shared'")


@pytest.fixture
def engine(database):
    engine = connect(database.app_url, timeouts=QUICK)
    yield engine
    engine.dispose()


@dataclass
class Ledger:
    """Works on each message in one transaction, which a test can make fail: what it wrote shows what took place."""

    ports: Ports
    disturb: Callable[[Connection, SwitchLamp], None]
    tries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def work_off(self, count: int) -> None:
        """Work with two workers until so many messages have left their mark."""
        consumers = Consumers()
        consumers.on(SwitchLamp)(self.mark)
        queue = a_queue(self.ports.engine)
        pool = Workers(queue, Dispatcher.of([consumers]), None, SystemClock(), 2, 10.0, 8)
        pool.start()
        for _ in range(300):
            if len(self.marks()) >= count:
                break
            threading.Event().wait(0.05)
            pool.nudge()
        assert pool.stop(10)

    def mark(self, message: SwitchLamp, _call: object, _ports: object) -> None:
        with self.lock:
            self.tries += 1
        with self.ports.begin(a_call()) as work:
            work.record(f"lamp_{message.on}", StepFinished(step=1))
            self.disturb(work.connection, message)

    def marks(self) -> list[str]:
        with self.ports.begin(a_call()) as work:
            query = text("SELECT stream FROM events WHERE type = 'StepFinished' ORDER BY stream")
            return list(work.connection.execute(query).scalars())


def left(engine) -> int:
    """Return how many messages there still are, dead ones too."""
    with Ports(engine).begin(a_call()) as work:
        return int(work.connection.execute(text("SELECT count(*) FROM messages")).scalar_one())


def reasons(caplog) -> set[tuple[str, str]]:
    """Return why messages were tried again, and which they were."""
    found = [getattr(each, FACTS) for each in caplog.records if each.msg == "message_retried"]
    return {(each["type"], each["reason"]) for each in found}


def test_of_two_messages_that_block_each_other_both_are_worked_off_once(engine, database, caplog):
    with database.as_superuser() as connection:
        connection.run(f"ALTER DATABASE {database.name} SET deadlock_timeout = '20ms'")
    met, tried = threading.Barrier(2, timeout=5), []

    def cross(connection: Connection, message: SwitchLamp) -> None:
        first, second = (1, 2) if message.on else (2, 1)
        connection.execute(LOCK, {"key": first})
        if message.on not in tried:
            tried.append(message.on)
            met.wait()
        connection.execute(LOCK, {"key": second})

    ledger = Ledger(Ports(engine), cross)
    send(engine, on=True)
    send(engine, on=False)
    ledger.work_off(2)

    assert (ledger.marks(), left(engine), ledger.tries) == (["lamp_False", "lamp_True"], 0, 3)
    assert reasons(caplog) == {("SwitchLamp", "unavailable: the database can't serve this now")}


def test_a_message_that_waits_too_long_for_a_lock_is_worked_off_once_it_is_free(engine, caplog):
    with held(engine) as release:
        tried: list[bool] = []

        def wait(connection: Connection, _message: SwitchLamp) -> None:
            tried.append(True)
            if len(tried) > 1:
                release.set()
            connection.execute(LOCK, {"key": 1})

        ledger = Ledger(Ports(engine), wait)
        send(engine)
        ledger.work_off(1)

    assert (ledger.marks(), left(engine)) == (["lamp_True"], 0)
    assert reasons(caplog) == {("SwitchLamp", "unavailable: the database can't serve this now")}


def test_a_message_whose_statement_takes_too_long_is_tried_again(engine, caplog):
    tried: list[bool] = []

    def linger(connection: Connection, _message: SwitchLamp) -> None:
        tried.append(True)
        if len(tried) == 1:
            connection.execute(text("SET LOCAL statement_timeout = '100ms'"))
            connection.execute(NAP)

    ledger = Ledger(Ports(engine), linger)
    send(engine)
    ledger.work_off(1)

    assert (ledger.marks(), left(engine), ledger.tries) == (["lamp_True"], 0, 2)
    assert reasons(caplog) == {("SwitchLamp", "unavailable: the database can't serve this now")}


def test_a_message_that_saw_what_is_not_so_any_more_is_tried_again(engine, caplog):
    strict = Ports(engine.execution_options(isolation_level="REPEATABLE READ"))
    with Ports(engine).begin(a_call()) as work:
        work.record("shared", StepFinished(step=0))
    tried: list[bool] = []

    def change(connection: Connection, _message: SwitchLamp) -> None:
        tried.append(True)
        connection.execute(text("SELECT"))  # from here on it sees what is so now
        if len(tried) == 1:
            with Ports(engine).begin(a_call()) as meanwhile:
                meanwhile.connection.execute(HEAD)
        connection.execute(HEAD)

    ledger = Ledger(strict, change)
    send(engine)
    ledger.work_off(2)

    assert (ledger.marks(), left(engine), ledger.tries) == (["lamp_True", "shared"], 0, 2)
    assert reasons(caplog) == {("SwitchLamp", "unavailable: the database can't serve this now")}


@pytest.mark.parametrize(("statement", "code"), [(LOCK, "55P03"), (NAP, "57014")], ids=["a lock", "a slow statement"])
def test_a_caller_is_told_what_the_database_said(engine, statement, code):
    def ask() -> None:
        with Ports(engine).begin(a_call()) as work:
            work.connection.execute(text("SET LOCAL statement_timeout = '300ms'"))
            work.connection.execute(statement, {"key": 1} if statement is LOCK else {})

    with held(engine), pytest.raises(Unavailable) as told:
        ask()

    assert told.value.facts == {"sqlstate": code}


def test_one_connection_that_hangs_is_let_go_and_the_next_one_serves(database):
    engine = connect(database.app_url, pool_size=1, patience_s=0.3)
    with Ports(engine).begin(a_call()) as work:
        pid = work.connection.execute(PID).scalar_one()

    def ask() -> int:
        with Ports(engine).begin(a_call()) as work:
            return int(work.connection.execute(PID).scalar_one())

    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            ask()
        other = ask()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert other != pid
    engine.dispose()


def test_an_answer_that_comes_after_all_is_nobody_elses(database):
    engine = connect(database.app_url, pool_size=1, patience_s=0.3)

    def ask(statement: str, *, freeze: bool = False) -> object:
        with Ports(engine).begin(a_call()) as work:
            if freeze:
                frozen.append(work.connection.execute(PID).scalar_one())
                os.kill(frozen[0], signal.SIGSTOP)
            return work.connection.execute(text(statement)).scalar_one()

    frozen: list[int] = []
    with pytest.raises(Unavailable):
        ask("SELECT 'a secret of acme'", freeze=True)
    os.kill(frozen[0], signal.SIGCONT)

    assert [ask(f"SELECT {number}") for number in range(3)] == [0, 1, 2]
    engine.dispose()


def test_an_answer_that_the_driver_cannot_hold_leaves_nothing_of_it_to_the_next(database):
    engine = connect(database.app_url, pool_size=1)

    def ask(statement: str) -> object:
        with Ports(engine).begin(a_call()) as work:
            return work.connection.execute(text(statement)).scalar_one()

    with pytest.raises(ValueError, match="digits"):
        ask("SELECT CAST(repeat('9', 5000) AS jsonb)")

    assert [ask(f"SELECT {number}") for number in range(3)] == [0, 1, 2]
    engine.dispose()


def test_over_http_a_lock_that_is_not_had_is_a_reason_to_come_again(database, tmp_path):
    with a_world() as world:
        rig = Rig(database.app_url, world, tmp_path / "data")
        rig.app.close()
        rig.app = replace(rig.app, engine=connect(database.app_url, timeouts=QUICK))
        plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
        ask = Caller(rig.app)

        with rig.app.begin(a_call()) as work:
            work.plans.lock(plan.plan_id)
            refused = ask("POST", f"/v1/plans/{plan.plan_id}:revoke")
        served = ask("POST", f"/v1/plans/{plan.plan_id}:revoke")
        rig.close()

    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "unavailable", "5")
    assert (refused.json()["sqlstate"], served.status_code) == ("55P03", 200)


@contextmanager
def held(engine) -> Iterator[threading.Event]:
    """Hold the lock that others want, until they are told that it is free."""
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with Work(engine, a_call(), SystemClock()) as work:
            work.connection.execute(LOCK, {"key": 1})
            taken.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(5)
    yield release
    release.set()
    thread.join()
