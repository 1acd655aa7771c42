"""Finds the route of a request in one step, where the framework tries those of every area in turn, and each twice."""

from collections import defaultdict
from collections.abc import Sequence

from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from carapulse.runtime.http.contract import RoutesBehind
from carapulse.runtime.http.paths import path_of
from carapulse.runtime.http.walking import short_of

_FOUND = "carapulse_route"


class Lookup(RoutesBehind):
    """Stands before the routes of a router and knows them by their method and the beginning of their path.

    It has to agree with the framework, so among those it compares as the framework does, in its order. What it doesn't
    find is the framework's: unknown addresses, methods that an address hasn't, WebSockets, mounted applications.
    """

    def __init__(self, router: BaseRoute) -> None:
        self._router = router
        self._routes: dict[tuple[str, str], list[tuple[RouteContext, ASGIApp]]] = defaultdict(list)
        for context in iter_route_contexts([router]):
            area = _area_of(context.path or "")
            if isinstance(context.original_route, APIRoute) and area and "{" not in area:
                app = short_of(context) or context.app
                for method in context.methods or ():
                    self._routes[method, area].append((context, app))

    def load(self) -> Sequence[BaseRoute]:
        """Return the routes as the framework has them."""
        return [self._router]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether the request's route is known, and which it is."""
        return self._found(scope) or self._router.matches(scope)

    def _found(self, scope: Scope) -> tuple[Match, Scope] | None:
        if scope["type"] != "http":
            return None
        for context, app in self._routes.get((scope["method"], _area_of(path_of(scope))), ()):
            match, found = context.matches(scope)
            if match is Match.FULL:
                return match, {**found, "route": context.original_route, _FOUND: app}
        return None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request by the route that was found."""
        app: ASGIApp = scope.get(_FOUND, self._router.handle)
        await app(scope, receive, send)


def _area_of(path: str) -> str:
    """Return the first two words of a path, `v1/plans` for all of the plans' routes; or nothing if there is but one."""
    words = path.split("/", 3)
    return "/".join(words[1:3]) if len(words) > 2 else ""  # noqa: PLR2004 - two words and what is before the slash
