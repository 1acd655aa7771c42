"""The other way in: where a browser can't set a bearer, a ticket in the address of a live stream."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.types import Scope

from carapulse.identity.model import Principal
from carapulse.live.errors import OriginRefused, TicketRefused

WITH_TICKET: Final = frozenset({("http", "/v1/events"), ("websocket", "/v1/ws")})
"""Where a ticket is taken: the streams of a browser, and nothing else."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Door:
    """Takes tickets, of pages that may ask."""

    take_ticket: Callable[[str], Principal]
    origins: frozenset[str]

    async def visitor(self, scope: Scope, path: str, headers: Headers) -> Principal | None:
        """Return whom a ticket speaks for, or None if none is shown; raises TicketRefused or OriginRefused."""
        if (scope["type"], path) not in WITH_TICKET:
            return None
        self._check_origin(headers)
        tickets = _tickets_of(scope)
        if not tickets:
            return None
        if len(tickets) > 1 or "authorization" in headers:
            raise TicketRefused("a ticket stands alone")
        return await run_sync(self.take_ticket, tickets[0])

    def _check_origin(self, headers: Headers) -> None:
        """Let a page in that is our own or listed; programs that are no browser name no origin."""
        for origin in headers.getlist("origin"):
            if origin not in self.origins and not _is_own(origin, headers.get("host", "")):
                raise OriginRefused("pages of this origin may not follow events here")


def _is_own(origin: str, host: str) -> bool:
    """Compare where a page is from with where it asks. A proxy may have ended TLS, so the scheme alone says nothing."""
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host}")
        default = _PORTS[page.scheme]
        places = [(each.hostname, each.port or default) for each in (page, asked)]
    except (ValueError, KeyError):
        return False
    return bool(page.hostname) and places[0] == places[1]


def _tickets_of(scope: Scope) -> list[str]:
    """Take the tickets out of the address, so that no log and no route sees them."""
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "ticket"]).encode("ascii")
    return [value for name, value in pairs if name == "ticket"]
