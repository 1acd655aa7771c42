"""ETags and If-Match (RFC 9110, 13) for routes: what is shown has a tag, and what is changed must name it."""

from http import HTTPStatus
from typing import Annotated, Literal, TypeVar
from urllib.parse import quote

from fastapi import Depends, Header, Response
from fastapi.requests import HTTPConnection

from carapulse.kernel.precondition import Match, PreconditionRequired, etag_of
from carapulse.kernel.record import Record

R = TypeVar("R", bound=Record)
_LONGEST = 500
_IN_PATHS = "/:@!$&'()*+,;=~"


class Tag:
    """Puts the ETag of what a route shows on its answer, and on one about something new its address."""

    def __init__(self, response: Response, asked: str) -> None:
        self._response = response
        self._asked = asked

    def on(self, view: R, *, created: bool = False) -> R:
        """Return what is shown, with its tag on the answer; if it was made here just now, that says 201 and where."""
        if created:
            self._response.status_code = HTTPStatus.CREATED
            self._response.headers["Location"] = self._asked
        self._response.headers["ETag"] = etag_of(view)
        return view

    def at(self, address: str, view: R) -> R:
        """Return what was made, with its tag, and with the address under which it is found from now on."""
        self._response.headers["Location"] = address
        return self.on(view)


async def this_tag(response: Response, asked: HTTPConnection) -> Tag:
    """Return what puts the ETag on this answer; also the mark of a route that does."""
    return Tag(response, quote(asked.url.path, safe=_IN_PATHS))


async def match_or_absent(
    if_match: Annotated[str | None, Header(max_length=_LONGEST)] = None,
    if_none_match: Annotated[Literal["*"] | None, Header()] = None,
) -> Match:
    """Return the state that a PUT is about: one that was read, or `If-None-Match: *` for what must not exist yet."""
    if (if_match is None) == (if_none_match is None):
        raise PreconditionRequired("say which state is to be replaced: If-Match with its ETag, or If-None-Match: *")
    return Match(absent=True) if if_match is None else Match.parsed(if_match)


async def if_match(if_match: Annotated[str | None, Header(max_length=_LONGEST)] = None) -> Match:
    """Return the state that a change is about; raise PreconditionRequired for a request that names none."""
    if if_match is None:
        raise PreconditionRequired("say which state is to be changed: If-Match with the ETag that was read")
    return Match.parsed(if_match)


ThisTag = Annotated[Tag, Depends(this_tag)]
"""What puts the ETag on, as an argument of a route that shows one thing."""

IfMatch = Annotated[Match, Depends(if_match)]
"""The state that the caller has seen, as an argument of a route that changes one thing."""

IfMatchOrAbsent = Annotated[Match, Depends(match_or_absent)]
"""The same for PUT, which may also make what does not exist."""
