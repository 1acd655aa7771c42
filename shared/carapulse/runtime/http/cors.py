"""Pages of other origins (Fetch, 3.2): those that an operator named, and no others."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from carapulse.runtime.http.errors import OriginRefused
from carapulse.runtime.http.problems import respond

EXPOSED: Final = (
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "traceparent",
)
_SENT: Final = (
    "Authorization",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "traceparent",
    "tracestate",
)
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


class NamedOrigins(CORSMiddleware):
    """Lets pages of named origins read answers. A bearer is a header of the page itself: no credentials are allowed."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(app, origins, _METHODS, _SENT, expose_headers=EXPOSED)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer whether a page may ask; a refusal is a problem like any other."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == HTTPStatus.OK:
            return answer
        return respond(OriginRefused(bytes(answer.body).decode()), headers={"Vary": answer.headers["vary"]})
