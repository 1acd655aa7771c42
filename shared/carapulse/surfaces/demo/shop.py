"""checkout: the service of the demo, in the releases that its repository may declare. Each behaves as its code does.

* 1.4.0 takes a connection from its pool for each order, and gives it back.
* 1.5.0 forgets to give it back, so that orders fail once the pool is empty.
* 1.6.0 gives it back, but asks for the price of each item by itself, so that every order is slow.

    python -m carapulse.surfaces.demo.shop --release 1.4.0 --socket 7

It listens on a socket that was opened for it, and ends when its standard input does.
"""

import argparse
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any, ClassVar, Final

_POOL_SIZE: Final = 6
_ITEMS: Final = 12
_PRICE_S: Final = 0.04
_LONGEST_WAIT_S: Final = 0.02


class NoConnection(Exception):  # noqa: N818 - a fault of the service, said as its log would
    """The pool of database connections is empty."""


class Release:
    """What all releases share: a pool of connections, and orders that are numbered."""

    def __init__(self) -> None:
        self._pool = threading.Semaphore(_POOL_SIZE)
        self._orders = 0

    def order(self) -> int:
        """Take one order, and return its number."""
        self._connect()
        try:
            return self._number()
        finally:
            self._pool.release()

    def _connect(self) -> None:
        if not self._pool.acquire(timeout=_LONGEST_WAIT_S):
            raise NoConnection("no database connection left in the pool")

    def _number(self) -> int:
        self._orders += 1
        return self._orders


class LeakyRelease(Release):
    """Forgets to give its connections back."""

    def order(self) -> int:
        """Take one order, and keep the connection for ever."""
        self._connect()
        return self._number()


class SlowRelease(Release):
    """Asks for each price by itself."""

    def order(self) -> int:
        """Take one order, after a question for each item in the basket."""
        for _ in range(_ITEMS):
            time.sleep(_PRICE_S)
        return super().order()


RELEASES: Final[dict[str, type[Release]]] = {"1.4.0": Release, "1.5.0": LeakyRelease, "1.6.0": SlowRelease}


class Handler(BaseHTTPRequestHandler):
    """Answers /checkout, which takes an order, and /healthz, which only says that the process lives."""

    version: ClassVar[str]
    release: ClassVar[Release]

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        elif self.path == "/checkout":
            self._take_order()
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as http.server has it
        """Keep the terminal for the demo."""

    def _take_order(self) -> None:
        try:
            self._answer(HTTPStatus.OK, {"order": self.release.order()})
        except NoConnection as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        content = json.dumps({"service": "checkout", "version": self.version, **body}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Serves on a socket that is listening already, so that no request is lost while a release replaces another."""

    daemon_threads = False

    def __init__(self, listening: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(listening.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that ended."""

    def wait() -> None:
        # Not through sys.stdin: a thread that holds its lock would abort the interpreter when it ends otherwise.
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def end_in_order(server: Server) -> None:
    """On SIGTERM take no more requests, and end when those that were begun are answered."""

    def end(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve one release until ended."""
    parser = argparse.ArgumentParser(prog="checkout")
    parser.add_argument("--release", required=True, choices=RELEASES)
    parser.add_argument("--socket", required=True, type=int)
    given = parser.parse_args(arguments)
    end_with_parent()
    facts = {"version": given.release, "release": RELEASES[given.release]()}
    server = Server(socket.socket(fileno=given.socket), type("ThisRelease", (Handler,), facts))
    end_in_order(server)
    server.serve_forever(poll_interval=0.02)
    server.server_close()


if __name__ == "__main__":
    main()
