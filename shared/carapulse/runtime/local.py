"""Everything in one process: the database if none is given, the API, the workers and the minute's work."""

import json
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from carapulse.adapters.embedded import database
from carapulse.adapters.embedded.claim import claimed
from carapulse.adapters.embedded.guard import PostgresGuard
from carapulse.adapters.postgres.engine import refuse_strong_role
from carapulse.adapters.postgres.listener import Listener
from carapulse.adapters.postgres.migrate import migrate, refuse_unmigrated
from carapulse.bootstrap import App, make_app
from carapulse.bootstrap.believing import refuse_nobody_believed
from carapulse.bootstrap.database import app_door, owner_door
from carapulse.collection.messages import RunCollector
from carapulse.executions.messages import AdvanceExecution
from carapulse.notifications.messages import Deliver
from carapulse.observe import get_logger
from carapulse.runtime.areas import ROUTERS, handlers
from carapulse.runtime.brokered import queue_of
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.http.app import make_app as make_http
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.minute import Ticker, tickers
from carapulse.runtime.serving import serve_http
from carapulse.runtime.workers import Workers
from carapulse.settings import Settings

log = get_logger(__name__)
_BACKGROUND_WORKERS = 2
_COLLECTING_WORKERS = 2
_TELLING_WORKERS = 4  # receivers of one tenant that don't answer keep three of them busy at most
_STOP_S = 3.5  # for tools and workers, of the five seconds that a stop may take


@dataclass(frozen=True)
class Program:
    """The running program, and where it answers."""

    app: App
    url: str


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT, and say on stdout, in one line of JSON, when the program can be used."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    with running(settings) as program:
        sys.stdout.write(json.dumps({"event": "ready", "url": program.url}) + "\n")
        sys.stdout.flush()
        asked.wait()
        log.info("stopping")
    return 0


@contextmanager
def running(settings: Settings) -> Iterator[Program]:
    """Start every part in order, and end them in the opposite order."""
    refuse_nobody_believed(settings)
    with ExitStack() as parts:
        address = parts.enter_context(_database(settings))
        app = make_app(settings, address)
        parts.callback(app.close)
        refuse_strong_role(app.engine)
        refuse_unmigrated(app.engine)
        pools = _pools(app, handlers(settings.orchestrator))
        listeners = _listeners(settings, address, pools)
        clocks = tickers(app)
        starts = (
            *(pool.start for pool in pools),
            *(each.start for each in listeners),
            *(clock.start for clock in clocks),
        )
        for start in starts:
            start()
        ending = _Ending(app, pools, listeners, clocks)
        parts.callback(ending.wait)
        stop, url = serve_http(make_http(app, ROUTERS, Limits.of(settings)), settings)
        parts.callback(stop)
        parts.callback(ending.ask)
        yield Program(app, url)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        if settings.database_owner_url is not None:
            migrate(owner_door(settings, settings.database_owner_url), settings.database_app_role)
        yield settings.database_url
        return
    with embedded_database(settings) as address:
        yield address


@contextmanager
def embedded_database(settings: Settings) -> Iterator[str]:
    """Start the database of this data directory, migrated; Conflict while another program has it."""
    folder = settings.data_dir.resolve()
    with claimed(folder):
        guard = PostgresGuard.start(folder)
        try:
            database.prepare(guard.server)
            migrate(guard.server.url(database.OWNER, database.DATABASE), database.APP)
            yield guard.server.url(database.APP, database.DATABASE)
        finally:
            guard.stop()


def _pools(app: App, every: Dispatcher) -> list[Workers]:
    """Return those who do what may take long, each kind by itself, and those who must not wait behind any of it."""
    steps, collections, telling = {AdvanceExecution.queue}, {RunCollector.queue}, {Deliver.queue}
    return [
        _pool(app, every.only(steps), app.settings.workers),
        _pool(app, every.only(collections), _COLLECTING_WORKERS),
        _pool(app, every.only(telling), _TELLING_WORKERS),
        _pool(app, every.without(steps | collections | telling), _BACKGROUND_WORKERS),
    ]


def _pool(app: App, areas: Dispatcher, count: int) -> Workers:
    settings = app.settings
    return Workers(queue_of(app), areas, app, app.clock, count, settings.visibility_s, settings.max_deliveries)


def _listeners(settings: Settings, address: str, pools: Iterable[Workers]) -> tuple[Listener, ...]:
    """Return what wakes workers; nothing behind a pooler, which tells whoever has the session then."""
    if settings.database_pooled:
        return ()
    return (Listener(app_door(settings, address), partial(_nudge, pools)),)


def _nudge(pools: Iterable[Workers], queues: Collection[str] | None) -> None:
    for pool in pools:
        pool.nudge(queues)


@dataclass
class _Ending:
    """The end of the workers: everybody is asked at once, before anybody is waited for, and all have the same time."""

    app: App
    pools: list[Workers]
    listeners: tuple[Listener, ...]
    clocks: tuple[Ticker, ...]
    until: float = 0.0

    def ask(self) -> None:
        for pool in self.pools:
            pool.close()
        self.app.stopping.set()
        for each in self.listeners:
            each.stopping.set()
        self.until = time.monotonic() + _STOP_S

    def wait(self) -> None:
        if not self.until:
            self.ask()
        for each in self.listeners:
            each.stop()
        for clock in self.clocks:
            clock.stop()
        finished = [pool.stop(max(0.0, self.until - time.monotonic())) for pool in self.pools]
        if not all(finished):
            log.warning("stopped_with_work_left")
