"""The world's HTTP server: lamps with a state, and a count of every effect. It can be told to be slow or to break."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEEDS = {"switch": "PUT", "toggle": "toggle", "ring": "ring", "noop": "noop"}  # the effect of each action of the lamps


class World:
    """Lamps, what was done to them in order, what each was told to be, and what goes wrong."""

    def __init__(self) -> None:
        self.on: dict[str, bool] = {}
        self.effects: list[str] = []
        self.told: dict[str, list[bool]] = {}
        self.delays: dict[str, float] = {}
        self.cut: set[str] = set()
        self.broken: set[str] = set()
        self.busy: dict[str, int] = {}
        self.lock = threading.Lock()
        self.base_url = ""

    @property
    def counts(self) -> Counter[str]:
        """How often each effect took place, such as `PUT hall`."""
        return Counter(self.effects)


class _Handler(BaseHTTPRequestHandler):
    world: World

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        _, _, lamp, *rest = self.path.split("/")
        deed = f"{rest[0] if rest else method} {lamp}"
        world = self.world
        if world.busy.get(deed, 0) > 0:
            world.busy[deed] -= 1
            self._answer(503, {})
            return
        if deed in world.broken:
            self._answer(422, {"error": "broken"})
            return
        if method != "GET":
            with world.lock:
                world.effects.append(deed)
                self._change(lamp, rest, body)
        time.sleep(world.delays.get(deed, 0))
        if deed in world.cut:
            self.close_connection = True
            self.connection.close()
            return
        self._answer(200, {"lamp": lamp, "lit": world.on.get(lamp, False)})

    def _change(self, lamp: str, rest: list[str], body: dict[str, bool]) -> None:
        if rest == ["toggle"]:
            self.world.on[lamp] = not self.world.on.get(lamp, False)
        elif not rest:
            self.world.on[lamp] = body["lit"]
            self.world.told.setdefault(lamp, []).append(body["lit"])

    def _answer(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


@contextmanager
def a_world() -> Iterator[World]:
    """Run a world on a free loopback port."""
    world = World()
    handler = type("Handler", (_Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    world.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
