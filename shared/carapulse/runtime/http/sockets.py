"""The edge around a WebSocket: its trace, a log line, and a clean end come what may."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.observe import get_logger
from carapulse.runtime.http.errors import InternalError
from carapulse.runtime.http.problems import respond
from carapulse.tracing import Trace, traced

_FAILED: Final = 1011
_ABANDONED: Final = 499

log = get_logger(__name__)


@dataclass(slots=True)
class _Socket:
    """What became of one WebSocket, as far as it is known."""

    send: Send
    status: int = _ABANDONED
    is_closed: bool = False

    async def pass_on(self, message: Message) -> None:
        """Send on, and see what it is."""
        if message["type"] == "websocket.accept":
            self.status = HTTPStatus.SWITCHING_PROTOCOLS
        elif message["type"] == "websocket.http.response.start":
            self.status = message["status"]
        elif message["type"] == "websocket.close":
            self.is_closed = True
        await self.send(message)


async def serve_socket(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a WebSocket within its trace."""
    socket, started = _Socket(send), time.perf_counter()
    with traced(Trace.from_header(Headers(scope=scope).get("traceparent"))):
        try:
            await app(scope, receive, socket.pass_on)
        except Exception:
            log.exception("socket_failed", path=scope["path"])
            await _end(socket, scope, receive)
        finally:
            _note(scope, socket, time.perf_counter() - started)


async def _end(socket: _Socket, scope: Scope, receive: Receive) -> None:
    """Tell the client what can still be told."""
    if socket.status == _ABANDONED:
        await respond(InternalError("something went wrong on our side"))(scope, receive, socket.pass_on)
    elif socket.status == HTTPStatus.SWITCHING_PROTOCOLS and not socket.is_closed:
        await socket.pass_on({"type": "websocket.close", "code": _FAILED})


def _note(scope: Scope, socket: _Socket, seconds: float) -> None:
    principal = scope.get("state", {}).get("principal")
    log.info(
        "socket_ended",
        path=scope["path"],
        status=int(socket.status),
        seconds=round(seconds, 1),
        tenant=principal.tenant if principal else None,
        actor=principal.actor.id if principal else None,
    )
