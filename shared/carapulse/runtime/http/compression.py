"""Answers in gzip, for those who say that they take it."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SMALLEST: Final = 1024
_LEVEL: Final = 5
_TEXT: Final = (
    "application/json",
    "application/problem+json",
    "text/plain",
    "text/html",
    "text/css",
    "text/javascript",
)


class Compressed:
    """Compresses JSON and text from one KiB on.

    An answer with a strong ETag stays as it is: another encoding would need another tag, which no If-Match could name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, and say that the answer depends on what the caller takes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        takes_gzip = _takes_gzip(Headers(scope=scope))
        responder = _Responder(self._app, _SMALLEST, _LEVEL) if takes_gzip else None

        async def vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_vary(MutableHeaders(scope=message))
            await send(message)

        await (responder or self._app)(scope, receive, vary)


class _Responder(GZipResponder):
    """Leaves alone what is not listed; the framework's own leaves alone only what it knows."""

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not _is_compressible(Headers(raw=message.get("headers", []))):
            self.exclude_content_types = (_media_type(Headers(raw=message.get("headers", []))),)
        await super().send_with_compression(message)


def _add_vary(headers: MutableHeaders) -> None:
    if _is_compressible(headers) and "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")


def _is_compressible(headers: Headers) -> bool:
    tag = headers.get("etag", "")
    return _media_type(headers) in _TEXT and (not tag or tag.startswith("W/"))


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _takes_gzip(headers: Headers) -> bool:
    said: dict[str, bool] = {}
    for each in ",".join(headers.getlist("accept-encoding")).split(","):
        coding, _, weight = each.partition(";")
        said[coding.strip().lower()] = weight.strip().lower().replace(" ", "") not in {
            "q=0",
            "q=0.0",
            "q=0.00",
            "q=0.000",
        }
    return said.get("gzip", said.get("*", False))
