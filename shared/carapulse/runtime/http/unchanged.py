"""Answers that a caller has already (RFC 9110, 13.1.2): 304 and no body for the ETag that it names, or for `*`."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READS: Final = frozenset({"GET", "HEAD"})
_OK: Final = 200
_NOT_MODIFIED: Final = 304


class Unchanged:
    """Leaves out what the caller has. It was worked out all the same: what it saves is the way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, and shorten the answer if it can be."""
        known = Headers(scope=scope).get("if-none-match") if scope["type"] == "http" else None
        if known is None or scope["method"] not in _READS:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Shortened(known, send).pass_on)


class _Shortened:
    def __init__(self, known: str, send: Send) -> None:
        self._known = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        self._send = send
        self._is_known = False

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == _OK:
            headers = MutableHeaders(scope=message)
            tag = headers.get("etag")
            self._is_known = tag is not None and not self._known.isdisjoint({tag, "*"})
            if self._is_known:
                message["status"] = _NOT_MODIFIED
                del headers["content-length"]
                del headers["content-type"]
        elif self._is_known and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)
