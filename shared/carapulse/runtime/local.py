"""Everything in one process: the database if none is given, the API, the workers and the minute's work."""

import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address

import uvicorn

from carapulse.adapters.embedded import database
from carapulse.adapters.embedded.claim import claimed
from carapulse.adapters.embedded.guard import PostgresGuard
from carapulse.adapters.postgres.engine import refuse_strong_role
from carapulse.adapters.postgres.listener import Listener
from carapulse.adapters.postgres.migrate import migrate, refuse_unmigrated
from carapulse.bootstrap import App, make_app, refuse_nobody_believed
from carapulse.kernel.errors import Invalid
from carapulse.observe import get_logger
from carapulse.pushing import LONGEST_MESSAGE
from carapulse.runtime.areas import BACKGROUND, EXECUTIONS, ROUTERS
from carapulse.runtime.brokered import queue_of
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.http.app import make_app as make_http
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.minute import Ticker, tickers
from carapulse.runtime.workers import Workers
from carapulse.settings import Settings

log = get_logger(__name__)
_BACKGROUND_WORKERS = 2
_STOP_S = 3.5  # for tools and workers, of the five seconds that a stop may take
_HTTP_STOP_S = 1
_HEARTBEAT_S = 15


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
        pools = [_pool(app, EXECUTIONS, settings.workers), _pool(app, BACKGROUND, _BACKGROUND_WORKERS)]
        listener = Listener(address, partial(_nudge, pools))
        clocks = tickers(app)
        starts = (*(pool.start for pool in pools), listener.start, *(clock.start for clock in clocks))
        for start in starts:
            start()
        ending = _Ending(app, pools, listener, clocks)
        parts.callback(ending.wait)
        server, url = _http(app, settings)
        parts.callback(server)
        parts.callback(ending.ask)
        yield Program(app, url)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        if settings.database_owner_url is not None:
            migrate(settings.database_owner_url, settings.database_app_role)
        yield settings.database_url
        return
    folder = settings.data_dir.resolve()
    with claimed(folder):
        guard = PostgresGuard.start(folder)
        try:
            database.prepare(guard.server)
            migrate(guard.server.url(database.OWNER, database.DATABASE), database.APP)
            yield guard.server.url(database.APP, database.DATABASE)
        finally:
            guard.stop()


def _pool(app: App, areas: Dispatcher, count: int) -> Workers:
    settings = app.settings
    return Workers(queue_of(app), areas, app, app.clock, count, settings.visibility_s, settings.max_deliveries)


def _nudge(pools: Iterable[Workers]) -> None:
    for pool in pools:
        pool.nudge()


@dataclass
class _Ending:
    """The end of the workers: everybody is asked at once, before anybody is waited for, and all have the same time."""

    app: App
    pools: list[Workers]
    listener: Listener
    clocks: tuple[Ticker, ...]
    until: float = 0.0

    def ask(self) -> None:
        for pool in self.pools:
            pool.close()
        self.app.stopping.set()
        self.listener.stopping.set()
        self.until = time.monotonic() + _STOP_S

    def wait(self) -> None:
        if not self.until:
            self.ask()
        self.listener.stop()
        for clock in self.clocks:
            clock.stop()
        finished = [pool.stop(max(0.0, self.until - time.monotonic())) for pool in self.pools]
        if not all(finished):
            log.warning("stopped_with_work_left")


def _http(app: App, settings: Settings) -> tuple[Callable[[], None], str]:
    """Start the API in a thread of its own, and return what ends it, and its address."""
    listening = _listen(settings.host, settings.port)
    http = make_http(app, ROUTERS, Limits.of(settings))
    proxies = sorted(settings.trusted_proxies)
    config = uvicorn.Config(
        http,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_HTTP_STOP_S,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        ws="websockets-sansio",
        ws_max_size=LONGEST_MESSAGE,
        ws_ping_interval=_HEARTBEAT_S,
        ws_per_message_deflate=False,  # what it keeps for each connection is more than all of ours
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http", daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        if not thread.is_alive():
            raise Invalid("the API could not be started", port=settings.port)

    def stop() -> None:
        server.should_exit = True
        thread.join(_HTTP_STOP_S + 1)
        listening.close()

    return stop, _url(listening)


def _url(listening: socket.socket) -> str:
    """Return where this machine reaches the API; an address that stands for all of them is reached by loopback."""
    host, port = listening.getsockname()[:2]
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        return f"http://[{'::1' if address.is_unspecified else address}]:{port}"
    return f"http://{'127.0.0.1' if address.is_unspecified else address}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Invalid(
            f"the address can't be listened on: {error.strerror}; choose another port with --port, or CARAPULSE_HOST",
            host=host,
            port=port,
        ) from error
    return listening
