"""The HTTP server of the program: uvicorn, in a thread of its own."""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import uvicorn
from starlette.types import ASGIApp

from carapulse.kernel.errors import Invalid
from carapulse.pushing import LONGEST_MESSAGE
from carapulse.settings import Settings

_STOP_S = 1
_HEARTBEAT_S = 15


def serve_http(http: ASGIApp, settings: Settings) -> tuple[Callable[[], None], str]:
    """Serve an application, and return what ends that, and the address. Raises Invalid if it can't be had."""
    listening = _listen(settings.host, settings.port)
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

    return stop, _url(listening)


def _url(listening: socket.socket) -> str:
    """Return where this machine reaches the API; an address that stands for all of them is reached by loopback."""
    host, port = listening.getsockname()[:2]
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        return f"http://[{'::1' if address.is_unspecified else address}]:{port}"
    return f"http://{'127.0.0.1' if address.is_unspecified else address}:{port}"


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


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, TCP is what asyncio switches Nagle's algorithm off for; without it every kept connection waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
