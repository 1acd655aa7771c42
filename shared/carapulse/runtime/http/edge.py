"""The edge: what holds around every request: trace, headers, numbers, a log line, and an answer come what may."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.metrics import Count, Duration, Level
from carapulse.observe import get_logger
from carapulse.runtime.http.errors import InternalError
from carapulse.runtime.http.problems import respond
from carapulse.runtime.http.sockets import serve_socket
from carapulse.tracing import Trace, traced

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUESTS = Count(
    "carapulse_http_requests_total", "Requests answered", {"method": METHODS, "route": None, "status": None}
)
SECONDS = Duration(
    "carapulse_http_request_seconds", "Seconds until an answer began", {"method": METHODS, "route": None}
)
OPEN = Level("carapulse_http_open_requests", "Requests being worked on")

SAFETY: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
SECURE_TRANSPORT = "max-age=31536000; includeSubDomains"

_ABANDONED = 499
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

log = get_logger(__name__)


@dataclass(slots=True)
class _Answer:
    """What became of one request, as far as it is known."""

    send: Send
    trace: Trace
    is_secure: bool
    started: float
    status: int = _ABANDONED
    waited: float = 0.0

    @property
    def has_begun(self) -> bool:
        return self.status != _ABANDONED

    async def pass_on(self, message: Message) -> None:
        """Send on, with our headers on the first part."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.waited = time.perf_counter() - self.started
            self._add_headers(MutableHeaders(scope=message))
        await self.send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in SAFETY.items():
            headers.setdefault(name, value)
        if self.is_secure:
            headers.setdefault("Strict-Transport-Security", SECURE_TRANSPORT)
        headers["traceparent"] = self.trace.header


class Edge:
    """The outermost of ours: nothing that a request can do gets past it untraced, uncounted or unanswered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request within its trace."""
        if scope["type"] == "websocket":
            await serve_socket(self._app, scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = Trace.from_header(Headers(scope=scope).get("traceparent"))
        answer = _Answer(send, trace, scope["scheme"] == "https", time.perf_counter())
        with traced(trace):
            OPEN.change(1)
            try:
                await self._serve(scope, receive, answer)
            finally:
                OPEN.change(-1)
                _note(scope, answer)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer.pass_on)
        except Exception:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if answer.has_begun:
                # Half an answer can't be taken back; raising makes the server cut the connection.
                raise
            await respond(InternalError("something went wrong on our side"))(scope, receive, answer.pass_on)


def _note(scope: Scope, answer: _Answer) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    REQUESTS.add(method=scope["method"], route=route, status=str(answer.status))
    SECONDS.observe(answer.waited, method=scope["method"], route=route)
    principal = scope.get("state", {}).get("principal")
    say = log.debug if route in _QUIET else log.info
    say(
        "request_handled",
        method=scope["method"],
        path=scope["path"],
        route=route,
        status=answer.status,
        milliseconds=round(answer.waited * 1000, 1),
        tenant=principal.tenant if principal else None,
        actor=principal.actor.id if principal else None,
    )
