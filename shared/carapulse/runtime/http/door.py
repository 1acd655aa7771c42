"""Who asks: a bearer in the header; or, where a browser can't set one, a ticket in the address of a live stream."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.types import Scope

from carapulse.identity.errors import TenantMismatch, TokenMissing, TokenRefused
from carapulse.identity.model import Principal
from carapulse.live.errors import OriginRefused, TicketRefused

WITH_TICKET: Final = frozenset({("http", "/v1/events"), ("websocket", "/v1/ws")})
"""Where a ticket is taken: the streams of a browser, and nothing else."""

_PORTS: Final = {"http": 80, "https": 443}


class Verifier(Protocol):
    """Tells who is asking."""

    def verify(self, token: str) -> Principal:
        """Return the principal, or raise Unauthenticated."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """What is known of those who may come in."""

    verifier: Verifier
    take_ticket: Callable[[str], Principal]
    origins: frozenset[str]

    async def admit(self, scope: Scope, path: str) -> Principal:
        """Return who asks; raises Unauthenticated or Denied."""
        headers = Headers(scope=scope)
        takes_tickets = (scope["type"], path) in WITH_TICKET
        if takes_tickets:
            self._check_origin(headers)
        tickets = _tickets_of(scope) if takes_tickets else []
        if tickets:
            principal = await self._by_ticket(tickets, headers)
        else:
            principal = self._by_bearer(headers.getlist("authorization"))
        if any(tenant != principal.tenant for tenant in headers.getlist("x-tenant-id")):
            raise TenantMismatch("the request names another tenant than its token")
        return principal

    async def _by_ticket(self, tickets: list[str], headers: Headers) -> Principal:
        if len(tickets) > 1 or "authorization" in headers:
            raise TicketRefused("a ticket stands alone")
        return await run_sync(self.take_ticket, tickets[0])

    def _by_bearer(self, given: list[str]) -> Principal:
        if not given:
            raise TokenMissing("a bearer token is needed")
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not token:
            raise TokenRefused("the authorization is not one bearer token")
        return self.verifier.verify(token.strip(" "))

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
