"""API Gateway's `@connections` and Lambda's asynchronous invocations, on a free port: what was said to whom."""

import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.world.aws import NOBODY

GONE = (410, "GoneException")
BUSY = (429, "LimitExceededException")
AWAY = (503, "ServiceUnavailableException")
TOO_LARGE = (413, "PayloadTooLargeException")
LARGEST = 128 * 1024


class Sockets(ThreadingHTTPServer):
    """The sockets that are held, as the gateway's users reach them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.said: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.refusing: dict[str, tuple[int, str]] = {}
        """Of a connection, what is answered to whoever wants to say something."""
        self.takes: dict[str, int] = {}
        """Of a connection, how many messages it takes in all."""
        self.dropped: list[str] = []
        self.woken: Counter[str] = Counter()
        self.changed = threading.Condition()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process must have in its environment to find Lambda here."""
        return NOBODY | {"AWS_ENDPOINT_URL_LAMBDA": self.address}

    def wait_for(self, connection_id: str, count: int) -> list[dict[str, Any]]:
        """Return what was said to a client, once it is so much."""
        until = time.monotonic() + 20
        with self.changed:
            while len(self.said[connection_id]) < count:
                assert self.changed.wait(until - time.monotonic()), self.said[connection_id]
            return list(self.said[connection_id])


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sockets

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = unquote(self.path)
        if path.startswith("/2015-03-31/functions/"):
            assert self.headers["X-Amz-Invocation-Type"] == "Event"
            self.server.woken[path.split("/")[3]] += 1
            self._answer(202)
            return
        connection_id = path.rpartition("/@connections/")[2]
        refusal = TOO_LARGE if len(body) > LARGEST else self.server.refusing.get(connection_id)
        if len(self.server.said[connection_id]) >= self.server.takes.get(connection_id, sys.maxsize):
            refusal = BUSY
        if refusal is None:
            with self.server.changed:
                self.server.said[connection_id].append(json.loads(body))
                self.server.changed.notify_all()
        self._answer(*(refusal or (200,)))

    def do_DELETE(self) -> None:
        with self.server.changed:
            self.server.dropped.append(unquote(self.path).rpartition("/@connections/")[2])
            self.server.changed.notify_all()
        self._answer(204)

    def _answer(self, status: int, kind: str = "") -> None:
        self.send_response(status)
        self.send_header("x-amzn-ErrorType", kind)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def sockets() -> Iterator[Sockets]:
    """Serve them until the test is done."""
    server = Sockets()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    before = dict(os.environ)
    os.environ |= server.environment
    try:
        yield server
    finally:
        os.environ.clear()
        os.environ |= before
        server.shutdown()
        server.server_close()
