"""The gate: what must hold before any route sees a request. Whoever does not pass costs next to nothing."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Self

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.identity.bearers import Verifier, is_looked_up
from carapulse.identity.errors import TenantMismatch, TokenMissing, TokenRefused
from carapulse.identity.model import Principal
from carapulse.kernel.errors import Problem, TooLarge
from carapulse.observe import get_logger
from carapulse.runtime.http.door import Door
from carapulse.runtime.http.errors import BodyTooSlow, MalformedUrl
from carapulse.runtime.http.media import check_media
from carapulse.runtime.http.paths import GUARDED, SIGNED, path_of
from carapulse.runtime.http.problems import respond
from carapulse.runtime.http.rating import Meter
from carapulse.runtime.http.refusing import tell
from carapulse.settings import Settings
from carapulse.wire import read_json

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_PARSED_IN_PLACE = 65_536
_LOOK_UPS = 4  # at once, in threads of their own: a busy worker pool must not keep callers out

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process takes on: threads of routes, bytes of a body, seconds until it came; and whose pages may ask."""

    threads: int = 40
    body_bytes: int = 1_048_576
    body_seconds: float = 10.0
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what an installation chose."""
        return cls(threads=settings.http_threads, origins=settings.cors_origins)


class Disconnected(Exception):  # noqa: N818 - not an error of anybody
    """The caller left before the request was complete."""


class Gate:
    """Reads address, bearer and body, in this order, counts in between, and lets through only what holds."""

    def __init__(self, app: ASGIApp, verifier: Verifier, door: Door, meter: Meter, limits: Limits) -> None:
        self._app = app
        self._verifier = verifier
        self._meter = meter
        self._door = door
        self._limits = limits
        self._looking_up = CapacityLimiter(_LOOK_UPS)
        # One turn for each issuer: who waits for a slow one takes no thread, and keeps nobody from another.
        self._turns: dict[str, CapacityLimiter] = defaultdict(partial(CapacityLimiter, 1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            admitted = await self._admit(scope, receive)
        except Problem as problem:
            await tell(problem, scope)
            await respond(problem)(scope, receive, send)
        except Disconnected:
            log.info("caller_left")
        else:
            await self._app(scope, admitted, send)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        path = path_of(scope)
        _check_url(scope)
        is_signed = path.startswith(SIGNED)
        if path.startswith(GUARDED) and not is_signed:
            visitor = await self._door.visitor(scope, path, headers)
            principal = await self._principal(headers) if visitor is None else visitor
            scope.setdefault("state", {})["principal"] = principal
            if any(tenant != principal.tenant for tenant in headers.getlist("x-tenant-id")):
                raise TenantMismatch("the request names another tenant than its token")
        if path.startswith(GUARDED):
            await self._meter.count(scope)
        if scope["type"] == "websocket" or scope["method"] in _BODILESS:
            return receive
        body = await self._body(headers, receive)
        if body:
            check_media(scope["method"], headers, is_signed=is_signed)
        if body and not is_signed:
            await _check_json(body)
        return replayed(body, receive)

    async def _principal(self, headers: Headers) -> Principal:
        token = _bearer(headers)
        if is_looked_up(token):
            return await run_sync(self._verifier.verify, token, limiter=self._looking_up)
        if fetch := self._verifier.wanted(token):
            await run_sync(fetch.run, limiter=self._turns[fetch.issuer])
        return self._verifier.verify(token)

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._limits.body_bytes:
            raise TooLarge("the body is too large", most_bytes=self._limits.body_bytes)
        try:
            with fail_after(self._limits.body_seconds):
                return await self._read(receive)
        except TimeoutError as error:
            raise BodyTooSlow("the body did not arrive in time", seconds=self._limits.body_seconds) from error

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        is_more = True
        while is_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            body += message.get("body", b"")
            if len(body) > self._limits.body_bytes:
                raise TooLarge("the body is too large", most_bytes=self._limits.body_bytes)
            is_more = message.get("more_body", False)
        return bytes(body)


def may_carry_key(path: str) -> bool:
    """Say whether an idempotency key means something on a POST to this path; webhooks have ids of their own."""
    return path.startswith(GUARDED) and not path.startswith(SIGNED)


def _bearer(headers: Headers) -> str:
    given = headers.getlist("authorization")
    if not given:
        raise TokenMissing("a bearer token is needed")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token:
        raise TokenRefused("the authorization is not one bearer token")
    return token.strip(" ")


def _check_url(scope: Scope) -> None:
    path, query = scope["path"], scope.get("query_string", b"").lower()
    if not path.isprintable() or "\ufffd" in path or b"%00" in query or b"\0" in query:
        raise MalformedUrl("the address holds characters that no address may hold")


async def _check_json(body: bytes) -> None:
    # A large body would hold up every other request while it is parsed.
    if len(body) > _PARSED_IN_PLACE:
        await run_sync(read_json, body)
    else:
        read_json(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, in one piece."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
