"""The HTTP server of the program: uvicorn on loopback, in a thread of its own."""

import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from carapulse.kernel.errors import Invalid
from carapulse.pushing import LONGEST_MESSAGE
from carapulse.settings import Settings

_STOP_S = 1
_HEARTBEAT_S = 15


def serve_http(http: ASGIApp, settings: Settings) -> tuple[Callable[[], None], str]:
    """Serve an application, and return what ends that, and the address. Raises Invalid if the port can't be used."""
    listening = _listen(settings.port)
    server = uvicorn.Server(_config(http, settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http", daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        if not thread.is_alive():
            raise Invalid("the API could not be started", port=settings.port)

    def stop() -> None:
        server.should_exit = True
        thread.join(_STOP_S + 1)
        listening.close()

    return stop, f"http://127.0.0.1:{listening.getsockname()[1]}"


def _config(http: ASGIApp, settings: Settings) -> uvicorn.Config:
    proxies = sorted(settings.trusted_proxies)
    return uvicorn.Config(
        http,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        ws="websockets-sansio",
        ws_max_size=LONGEST_MESSAGE,
        ws_ping_interval=_HEARTBEAT_S,
        ws_per_message_deflate=False,  # what it keeps for each connection is more than all of ours
    )


def _listen(port: int) -> socket.socket:
    # Named, TCP is what asyncio switches Nagle's algorithm off for; without it every kept connection waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise Invalid(f"the port can't be used: {error.strerror}; choose another with --port", port=port) from error
    return listening
