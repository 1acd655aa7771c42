"""The gate: what must hold before any route sees a request. Whoever does not pass costs next to nothing."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.identity.errors import TenantMismatch, TokenMissing, TokenRefused
from carapulse.identity.model import Principal
from carapulse.identity.ports import Fetch
from carapulse.kernel.errors import Problem, TooLarge
from carapulse.observe import get_logger
from carapulse.runtime.http.errors import BodyTooSlow, ContentTypeUnsupported, MalformedUrl
from carapulse.runtime.http.problems import respond
from carapulse.wire import read_json

GUARDED = "/v1/"
SIGNED = "/v1/webhooks/"

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_PARSED_IN_PLACE = 65_536

log = get_logger(__name__)


class Verifier(Protocol):
    """Tells who is asking."""

    def wanted(self, token: str) -> Fetch | None:
        """Return what has to be fetched before this token can be verified, or None; or raise Unauthenticated."""
        ...

    def verify(self, token: str) -> Principal:
        """Return the principal, or raise Unauthenticated, or Unavailable if it can't be known now. Never blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one process takes on: threads for routes, bytes of a body, and seconds until it must have arrived."""

    threads: int = 40
    body_bytes: int = 1_048_576
    body_seconds: float = 10.0


class Disconnected(Exception):  # noqa: N818 - not an error of anybody
    """The caller left before the request was complete."""


class Gate:
    """Reads address, bearer and body, in this order, and lets through only what holds."""

    def __init__(self, app: ASGIApp, verifier: Verifier, limits: Limits) -> None:
        self._app = app
        self._verifier = verifier
        self._limits = limits
        # One turn for each issuer: who waits for a slow one takes no thread, and keeps nobody from another.
        self._turns: dict[str, CapacityLimiter] = defaultdict(partial(CapacityLimiter, 1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            admitted = await self._admit(scope, receive)
        except Problem as problem:
            await respond(problem)(scope, receive, send)
        except Disconnected:
            log.info("caller_left")
        else:
            await self._app(scope, admitted, send)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        _check_url(scope)
        is_signed = path.startswith(SIGNED)
        if path.startswith(GUARDED) and not is_signed:
            principal = await self._principal(headers)
            scope.setdefault("state", {})["principal"] = principal
        if scope["method"] in _BODILESS:
            return receive
        body = await self._body(headers, receive)
        if body and not is_signed:
            await _check_json(headers, body)
        return _replay(body, receive)

    async def _principal(self, headers: Headers) -> Principal:
        token = _bearer(headers)
        if fetch := self._verifier.wanted(token):
            await run_sync(fetch.run, limiter=self._turns[fetch.issuer])
        principal = self._verifier.verify(token)
        if any(tenant != principal.tenant for tenant in headers.getlist("x-tenant-id")):
            raise TenantMismatch("the request names another tenant than its token")
        return principal

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


async def _check_json(headers: Headers, body: bytes) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise ContentTypeUnsupported("the body must be application/json")
    # A large body would hold up every other request while it is parsed.
    if len(body) > _PARSED_IN_PLACE:
        await run_sync(read_json, body)
    else:
        read_json(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
