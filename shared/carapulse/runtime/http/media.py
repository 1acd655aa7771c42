"""What a body says it is, and what an answer may be (RFC 9110, 8.3, 8.4 and 12.5.1)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi.requests import HTTPConnection
from starlette.datastructures import Headers

from carapulse.runtime.http.errors import ContentTypeUnsupported, NotAcceptable

_JSON = "application/json"
_PATCHES: Final = (_JSON, "application/merge-patch+json")
_UTF_8: Final = frozenset({"utf-8", "utf8"})
_ANYTHING = "*/*"


def check_media(method: str, headers: Headers, *, is_signed: bool) -> None:
    """Return if a body is what can be read here, or raise ContentTypeUnsupported. A webhook's type is its sender's."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ContentTypeUnsupported("the body must not be encoded", content_encoding=["identity"])
    if is_signed:
        return
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    if not _is_json(method, media_type.strip().lower()):
        supported = _PATCHES if method == "PATCH" else (_JSON,)
        raise ContentTypeUnsupported(f"the body must be {' or '.join(supported)}", supported=supported)
    charset = _parameters(parameters).get("charset", "utf-8")
    if charset not in _UTF_8:
        raise ContentTypeUnsupported("the body must be in UTF-8", charset=["utf-8"])


async def negotiate(request: HTTPConnection) -> None:
    """Return if the caller takes what the route gives, or raise NotAcceptable. Problems are told to everybody."""
    accepted = request.headers.getlist("accept")
    if not accepted or request.scope["type"] == "websocket":
        return
    available = given_by(request.scope["route"])
    ranges = [each for each in ",".join(accepted).split(",") if each.strip()]
    if ranges and not any(_quality(media_type, ranges) > 0 for media_type in available):
        raise NotAcceptable("the answer can't be had in any of these media types", available=available)


def given_by(route: object) -> Sequence[str]:
    """Return the media types that a route answers with."""
    responses: Mapping[int | str, Mapping[str, Mapping[str, object]]] = getattr(route, "responses", {}) or {}
    declared = tuple(responses.get(200, {}).get("content", {}))
    if declared:
        return declared
    response_class = getattr(route, "response_class", None)
    kind = getattr(response_class, "value", response_class)
    return (getattr(kind, "media_type", None) or _JSON,)


def _is_json(method: str, media_type: str) -> bool:
    if method == "PATCH":
        return media_type in _PATCHES
    return media_type == _JSON or (media_type.startswith("application/") and media_type.endswith("+json"))


def _parameters(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in text.split(";"))
    return {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs}


def _quality(media_type: str, ranges: Sequence[str]) -> float:
    """Return how much a type is wanted: the narrowest range that it is in says so."""
    main = media_type.partition("/")[0]
    by_narrowness = [media_type, f"{main}/*", _ANYTHING]
    said: dict[str, float] = {}
    for each in ranges:
        wanted, _, parameters = each.partition(";")
        said[wanted.strip().lower()] = _weight(_parameters(parameters).get("q", "1"))
    return next((said[each] for each in by_narrowness if each in said), 0.0)


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"(0(\.\d{0,3})?|1(\.0{0,3})?)", text, re.ASCII) else 0.0
