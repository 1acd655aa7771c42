"""Pages of lists over HTTP: cursors are sealed, and hold for one tenant, one list and one set of filters.

A caller can neither read nor make one, and can't carry it from one question to another.
"""

import json
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request, Response

from carapulse.kernel.cursor import CursorInvalid, Page, Wanted
from carapulse.kernel.errors import Unavailable
from carapulse.kernel.sealing import Sealer
from carapulse.routing import Ports, ThisCall

T = TypeVar("T")
W = TypeVar("W", bound=Wanted)


class Pages:
    """Turns the pages of the one list that a route shows."""

    def __init__(self, request: Request, response: Response, tenant: str, sealer: Sealer) -> None:
        self._request = request
        self._response = response
        self._tenant = tenant
        self._sealer = sealer

    def turn(self, listed: Callable[[W], Page[T]], wanted: W) -> Page[T]:
        """Return the page that is wanted, its successor sealed and linked to (RFC 8288)."""
        purpose = self._purpose(wanted)
        page = listed(wanted.model_copy(update={"cursor": self._opened(wanted.cursor, purpose)}))
        if page.next_cursor is None:
            return page
        cursor = self._sealer.seal(page.next_cursor, purpose).translate(_TO_URL)
        self._response.headers["Link"] = f'<{self._address(cursor)}>; rel="next"'
        return page.model_copy(update={"next_cursor": cursor})

    def _opened(self, cursor: str | None, purpose: str) -> str | None:
        if cursor is None:
            return None
        try:
            return self._sealer.open(_padded(cursor.translate(_FROM_URL)), purpose)
        except Unavailable as error:
            raise CursorInvalid("the cursor is not one that this list gave out for these filters") from error

    def _purpose(self, wanted: Wanted) -> str:
        filters = wanted.model_dump(mode="json", exclude={"cursor", "limit"})
        return "cursor " + json.dumps([self._tenant, self._request.url.path, filters], sort_keys=True)

    def _address(self, cursor: str) -> str:
        given = [(name, value) for name, value in self._request.query_params.multi_items() if name != "cursor"]
        return f"{self._request.url.path}?{urlencode([*given, ('cursor', cursor)])}"


async def these_pages(request: Request, response: Response, call: ThisCall, ports: Ports) -> Pages:
    """Return what turns the pages of this route for this caller."""
    return Pages(request, response, call.tenant, ports.sealer)


def _padded(sealed: str) -> str:
    """Return base64, behind its version and a point, with the signs that fill it up."""
    return sealed + "=" * (-len(sealed.rpartition(".")[2]) % 4)


_TO_URL = str.maketrans("+/", "-_", "=")
_FROM_URL = str.maketrans("-_", "+/")
ThesePages = Annotated[Pages, Depends(these_pages)]
"""What turns pages, as an argument of a route that lists."""
