"""Makes HTTP requests for tools with httpx: no redirects, no proxies, no cookies, one deadline for everything."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from carapulse.adapters.web.egress import destinations
from carapulse.kernel.errors import Problem
from carapulse.tools.addresses import address_of
from carapulse.tools.errors import ToolUnavailable
from carapulse.tools.ports import CANCELLED, Answer, Request

_TICK_S = 0.05
_CONNECT_S = 10.0
_CHUNK = 65_536


class HttpxWeb:
    """The Web that httpx makes. Each request has a connection of its own, so that nothing of one reaches another."""

    def send(self, request: Request, *, cancelled: threading.Event, deadline_s: float) -> Answer:
        """Return the answer. ToolUnavailable if nothing was sent, EgressRefused if nothing may be.

        The exchange runs in a thread of its own: name resolution and slow headers know no deadline.
        """
        exchange = _Exchange(request, time.monotonic() + deadline_s)
        future = _in_the_background(exchange.answer)
        while time.monotonic() < exchange.ends_at and not cancelled.is_set():
            if wait([future], _TICK_S).done:
                return future.result()
        return exchange.given_up(CANCELLED if cancelled.is_set() else "the deadline passed")


def _in_the_background(work: Callable[[], Answer]) -> Future[Answer]:
    """Run in a thread that the end of the program doesn't wait for, as it would for an executor's."""
    future: Future[Answer] = Future()

    def run() -> None:
        with _HandedOver(future):
            future.set_result(work())

    threading.Thread(target=run, name="exchange", daemon=True).start()
    return future


@dataclass(frozen=True, slots=True)
class _HandedOver:
    """Hands what goes wrong to whoever waits for the future."""

    future: Future[Answer]

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is not None:
            self.future.set_exception(error)
        return True


@dataclass(slots=True)
class _Exchange:
    request: Request
    ends_at: float
    began: float = field(default_factory=time.monotonic)
    turn: threading.Lock = field(default_factory=threading.Lock)
    sent: bool = False
    abandoned: bool = False
    wire: socket.socket | None = None

    def given_up(self, why: str) -> Answer:
        """Shut the wire and say what may have happened. Nothing is sent after this."""
        with self.turn:
            self.abandoned = True
        if self.wire is not None:
            with contextlib.suppress(OSError):  # the other side may have closed it already
                self.wire.shutdown(socket.SHUT_RDWR)
        if not self.sent and why != CANCELLED:
            raise ToolUnavailable("nothing could be sent in time", address=address_of(self.request.url))
        return self._answer(lost=why, sent=self.sent)

    def answer(self) -> Answer:
        """Return the answer from the first address that can be connected to."""
        refused: Problem | None = None
        for number in destinations(self.request):
            try:
                return self._sent_to(number)
            except ToolUnavailable as error:
                refused = error
        raise refused or ToolUnavailable("the name has no address", address=address_of(self.request.url))

    def _sent_to(self, number: str) -> Answer:
        parts = urlsplit(self.request.url)
        host = f"[{number}]" if ":" in number else number
        url = urlunsplit(parts._replace(netloc=f"{host}:{address_of(self.request.url).rsplit(':', 1)[1]}", fragment=""))
        headers = [("Host", parts.netloc), ("User-Agent", "carapulse"), ("Accept-Encoding", "identity")]
        extensions = {"sni_hostname": parts.hostname, "trace": self._trace}
        try:
            with httpx.Client(verify=self._trust(), trust_env=False, timeout=self._timeout()) as client:
                outgoing = client.build_request(
                    self.request.method,
                    url,
                    headers=[*headers, *self.request.headers],
                    content=self.request.body or None,
                    extensions=extensions,
                )
                return self._received(client.send(outgoing, stream=True))
        except httpx.HTTPError as error:
            if not self.sent:
                raise ToolUnavailable("the address did not answer", address=address_of(self.request.url)) from error
            return self._answer(lost=type(error).__name__)

    def _trust(self) -> ssl.SSLContext:
        if self.request.url.startswith("http:"):
            return ssl.SSLContext(
                ssl.PROTOCOL_TLS_CLIENT
            )  # trusts nobody, and is not asked; reading authorities is slow
        return ssl.create_default_context(cafile=self.request.ca_file)

    def _timeout(self) -> httpx.Timeout:
        left = max(0.01, self.ends_at - time.monotonic())
        return httpx.Timeout(left, connect=min(left, _CONNECT_S))

    def _received(self, response: httpx.Response) -> Answer:
        body, most = bytearray(), self.request.answer_bytes
        for chunk in response.iter_raw(_CHUNK):
            body += chunk[: most + 1 - len(body)]
            if len(body) > most:
                break
        response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        plain = headers.get("content-encoding", "identity") == "identity"
        return self._answer(
            status=response.status_code,
            headers=headers,
            body=bytes(body[:most]) if plain else b"",
            truncated=len(body) > most or not plain,
        )

    def _answer(self, **facts: Any) -> Answer:  # noqa: ANN401 - fields of Answer, checked there
        return Answer(**facts, duration_ms=int((time.monotonic() - self.began) * 1000))

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self.wire = info["return_value"].get_extra_info("socket")
        elif event == "http11.send_request_headers.started":
            with self.turn:
                if self.abandoned:
                    raise httpx.ConnectTimeout("nobody waits any more")
                self.sent = True
