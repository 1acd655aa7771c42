"""The HTTP edge on a real socket, as a server runs it."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import APIRouter

from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.http.lazily import Areas


@contextmanager
def served(application: Any, routers: Areas | Iterable[APIRouter], limits: Limits | None = None) -> Iterator[int]:
    """Serve an application on a free loopback port, and return the port."""
    http = make_app(application, routers, limits)
    config = uvicorn.Config(http, port=0, log_config=None, access_log=False, server_header=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(5)
        assert not thread.is_alive()
