"""An installation that clients can follow: its log, its live routes on a real socket, and clients of both kinds."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

import uvicorn
from fastapi import APIRouter, FastAPI
from sqlalchemy import Connection
from tests.builders.clients import a_client
from tests.builders.log import a_call
from tests.builders.rates import HttpChosen, unlimited
from tests.builders.refusing import a_refusal_log
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as open_socket

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.log import Recorded, append
from carapulse.adapters.postgres.tail import PostgresTail
from carapulse.adapters.postgres.tickets import PostgresTicketDirectory
from carapulse.bootstrap.work import Work
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.event import Event
from carapulse.live.feed import Pace
from carapulse.live.hub import Hub, Room
from carapulse.live.routes import router
from carapulse.pushing import LONGEST_MESSAGE
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.http.lazily import Areas

QUICK = Pace(poll=0.02, heartbeat=0.3)
FRIEND = "https://ops.example"


class PlanClosed(Event):
    plan_id: str = "plan_1"
    reason: str = "é\n😀"


class EvidenceExported(Event):
    plan_id: str = "plan_1"


class Installation:
    """What live routes ask of the composition root, on a real database."""

    def __init__(self, url: str, folder: Any, pace: Pace = QUICK, room: Room | None = None) -> None:
        self.clock = SystemClock()
        self.engine = connect(url)
        self.direct = Direct(url)
        self.issuer = DevelopmentIssuer.load_or_make(folder)
        self.tokens = TokenVerifier([self.issuer.issuer], self.clock)
        self.refusals = a_refusal_log()
        self.rates = unlimited()
        self.settings = HttpChosen()
        self.ticket_directory = PostgresTicketDirectory(self.engine)
        self.stopping = threading.Event()
        self.tail = PostgresTail(self.engine, self.direct)
        self.live = Hub(self.tail, self.stopping, room, pace)

    def ready(self):
        return {}

    def begin(self, call):
        return Work(self.engine, call, self.clock)

    def happen(self, *kinds: Callable[[], Event], stream="plan_1", tenant="acme") -> None:
        """Write events, in one transaction."""
        with self.begin(a_call(tenant)) as work:
            for kind in kinds or (PlanClosed,):
                work.record(stream, kind())

    @contextmanager
    def happening(self, stream: str, tenant: str = "acme") -> Iterator[Connection]:
        """Write an event in a transaction that is open for as long as the context lasts."""
        with self.begin(a_call(tenant)) as work:
            append(work.connection, work.call, [Recorded(stream, PlanClosed(), work.now())])
            yield work.connection

    def token(self, role="viewer", tenant="acme", by="ada", lifetime=timedelta(hours=1)) -> str:
        return self.issuer.mint(tenant, by, frozenset({role}), lifetime)

    def close(self) -> None:
        self.direct.close()
        self.engine.dispose()


@contextmanager
def serving(installation: Any, routers: Areas | Iterable[APIRouter] = (router,)) -> Iterator[int]:
    """Serve it as the program does, and return the port."""
    http: FastAPI = make_app(installation, routers, Limits(threads=4, origins=frozenset({FRIEND})))
    options = {"ws": "websockets-sansio", "ws_max_size": LONGEST_MESSAGE, "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(http, port=0, log_config=None, access_log=False, server_header=False, **options)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        installation.stopping.set()
        server.should_exit = True
        thread.join(5)
        assert not thread.is_alive()


class Site:
    """A served installation, as clients see it."""

    def __init__(self, installation: Any, port: int) -> None:
        self.app = installation
        self.port = port
        self.http = a_client(f"http://127.0.0.1:{port}", timeout=5)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **who: Any) -> Any:
        bearer = {"Authorization": f"Bearer {self.app.token(**who)}"}
        return self.http.request(method, path, headers={**bearer, **(headers or {})})

    @contextmanager
    def following(self, query="", last=None, headers=None, **who) -> Iterator["Follower"]:
        """Follow as server-sent events, from when the stream is open."""
        given = {"Authorization": f"Bearer {self.app.token(**who)}"} if headers is None else headers
        if last is not None:
            given["Last-Event-ID"] = str(last)
        with self.http.stream("GET", f"/v1/events{query}", headers=given) as answer:
            if answer.status_code != 200:
                answer.read()
            assert answer.status_code == 200, answer.text
            follower = Follower(answer.iter_lines())  # named: a reader that nobody holds is closed
            yield follower

    @contextmanager
    def talking(self, query="", headers=None, **who) -> Iterator["Talker"]:
        """Follow over a WebSocket."""
        given = {"Authorization": f"Bearer {self.app.token(**who)}"} if headers is None else headers
        address = f"ws://127.0.0.1:{self.port}/v1/ws{query}"
        with open_socket(address, additional_headers=given, proxy=None, compression=None) as socket:
            yield Talker(socket)


class Follower:
    """Reads server-sent events as a browser does."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.last: int | None = None
        self.comments: list[str] = []
        while self.last is None:
            self._block()

    def next(self) -> dict[str, Any]:
        """Return the next event that is dispatched, with its name if it has one."""
        while (block := self._block()) is None:
            pass
        return block

    def take(self, count: int) -> list[dict[str, Any]]:
        return [self.next() for _ in range(count)]

    def wait_for_sign(self) -> Self:
        """Read until there is a sign of life."""
        self.comments.clear()
        while ": heartbeat" not in self.comments:
            assert self._block() is None
        return self

    def _block(self) -> dict[str, Any] | None:
        name, data = "message", None
        while line := next(self._lines):
            if line.startswith(":"):
                self.comments.append(line)
            field, _, value = line.partition(": ")
            if field == "id":
                self.last = int(value)
            elif field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
        return None if data is None else {"event": name, **data}


class Talker:
    """One end of a WebSocket."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.opened = self.next()

    def next(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.socket.recv(5))
        return said

    def until_closed(self) -> tuple[dict[str, Any], int]:
        """Return what was said last, and the code of the close."""
        said: dict[str, Any] = {}
        try:
            while True:
                said = self.next()
        except ConnectionClosed as closed:
            return said, closed.rcvd.code if closed.rcvd else 0

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))


def positions(events: list[dict[str, Any]]) -> list[int]:
    return [int(each["sequence"]) for each in events]


def subjects(events: list[dict[str, Any]]) -> list[str]:
    return [each["subject"] for each in events]
