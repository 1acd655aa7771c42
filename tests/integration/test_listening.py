"""Who waits for messages is woken for those that can be taken now, and for those of queues of its own."""

import os
import select
import socket
import threading
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

from tests.builders.plans import a_call

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.listener import Listener
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.approvals.consumers import consumers as approvals
from carapulse.approvals.messages import ExpireApproval
from carapulse.executions.messages import AdvanceExecution
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.workers import Workers

LATER = ExpireApproval(plan_id="plan_1", approval_id="approval_1")
NOW = AdvanceExecution(execution_id="exec_1")
PATIENCE_S = 10


class Heard:
    """Keeps what a listener tells, and lets a test wait for it."""

    def __init__(self):
        self.told, self._more = [], threading.Semaphore(0)

    def __call__(self, queues):
        self.told.append(queues)
        self._more.release()

    def wait(self):
        assert self._more.acquire(timeout=PATIENCE_S)


def test_a_message_for_later_wakes_nobody_and_one_for_now_says_where_it_is(database):
    engine, heard = connect(database.app_url), Heard()
    listener = Listener(database.app_url, heard)
    listener.start()
    heard.wait()

    for message, delay_s in ((LATER, 3600.0), (NOW, 0.0)):
        with PostgresWork(engine, a_call(), SystemClock()) as work:
            work.send(message, delay_s=delay_s)
    heard.wait()

    assert heard.told == [None, {AdvanceExecution.queue}]
    listener.stopping.set()
    listener.stop()
    engine.dispose()


def test_whoever_listens_is_heard_again_after_a_lost_connection_also_among_thousands_of_open_files(database):
    engine, heard = connect(database.app_url), Heard()
    listener = Listener(database.app_url, heard)
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(open(os.devnull))  # noqa: PTH123 - a number is all that is wanted of it
        listener.start()
        heard.wait()
        with database.as_superuser() as other:
            other.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        heard.wait()

        with PostgresWork(engine, a_call(), SystemClock()) as work:
            work.send(NOW)
        heard.wait()

    assert heard.told == [None, None, {AdvanceExecution.queue}]
    listener.stop()
    engine.dispose()


class Between:
    """Stands between listeners and the server, and can stop to pass on what is said, as a lost network does."""

    def __init__(self, server, path):
        self.server, self.is_cut = server, threading.Event()
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(path)
        self.listening.listen()

    def serve(self, times):
        """Pass on what so many listeners say, one after the other; the first until it is cut."""
        with self.listening, ExitStack() as sockets:
            for time in range(times):
                client = sockets.enter_context(self.listening.accept()[0])
                server = sockets.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                server.connect(self.server)
                self._pass_on(client, server, is_first=time == 0)

    def _pass_on(self, client, server, *, is_first):
        while not (is_first and self.is_cut.is_set()):
            for source in select.select([client, server], [], [], 0.05)[0]:
                said = source.recv(65536)
                if not said:
                    return
                (server if source is client else client).sendall(said)


def test_a_server_that_went_without_a_word_is_noticed_and_another_connection_is_made(database, data_dir):
    path, heard = str(data_dir / "between"), Heard()
    between = Between(str(database.server.socket), path)
    serving = threading.Thread(target=between.serve, args=(2,), daemon=True)
    serving.start()
    address = database.app_url.partition("unix_sock=")[0] + "unix_sock=" + quote(path, safe="/")
    listener = Listener(address, heard, silence_s=0.1, patience_s=1.0)
    listener.start()
    heard.wait()

    between.is_cut.set()
    heard.wait()

    assert heard.told == [None, None]
    listener.stop()
    serving.join(PATIENCE_S)


class Empty:
    """A queue that has nothing, and counts how often it is asked."""

    def __init__(self):
        self.asked = threading.Semaphore(0)

    def take(self, *_):
        self.asked.release()
        return []


def test_workers_are_woken_for_their_own_queues_and_when_nobody_knows_which():
    queue: Any = Empty()
    workers = Workers(queue, Dispatcher.of([approvals]), None, SystemClock(), 1, 60.0, 5, idle_s=PATIENCE_S)
    workers.start()
    assert queue.asked.acquire(timeout=PATIENCE_S)

    workers.nudge({"somebody else's"})
    assert not queue.asked.acquire(timeout=0.2)
    for its_own in ({"approvals", "another"}, None):
        workers.nudge(its_own)
        assert queue.asked.acquire(timeout=PATIENCE_S)

    workers.stop(PATIENCE_S)
