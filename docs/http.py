"""The pages about HTTP, from the application that serves it, with nothing behind it."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from docs.tables import code, head, listed, sentence, table
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute

from carapulse.identity.model import Role
from carapulse.identity.permissions import GRANTS, KEEPS_TO_SCOPE, PERMISSIONS
from carapulse.identity.refusals import RefusalLog
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Unavailable
from carapulse.rates.model import Claim, Grant, RateClass
from carapulse.rates.spending import Rates
from carapulse.routing import AUTHENTICATED, Needs
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.contract import keys_of, routes_of
from carapulse.runtime.http.rating import class_of
from carapulse.settings import Settings


class _NoLender:
    """Counts for nobody."""

    def take(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Say that nobody can be asked."""
        raise Unavailable("nothing is served here", claims=len(claims))


class _NoApplication:
    """What HTTP itself asks of the composition root; nothing is served here."""

    clock = SystemClock()
    tokens = TokenVerifier([], SystemClock())
    refusals = RefusalLog(lambda _call: nullcontext(), SystemClock())
    rates = Rates(_NoLender(), {})
    settings = Settings()

    def ready(self) -> Mapping[str, bool]:
        """Return nothing that is needed."""
        return {}


def make_http() -> FastAPI:
    """Return the whole HTTP application, with nothing behind it."""
    return make_app(_NoApplication(), ROUTERS)


def http_page() -> list[str]:
    """Return every route, with who may ask it and as what it is counted."""
    http = make_http()
    keys = {path: "required" if must else "optional" for path, must in keys_of(http).items()}
    rows = [row for route in routes_of(http) for row in _route_rows(route, keys)]
    said = (
        "Every route, and the permission that it needs; one without is open or proves its sender by itself. Under a"
        " [key](../how-to/send-a-request-again.md) a request may be sent again."
        " `GET /openapi.json` describes bodies and answers. Errors are `application/problem+json` with a `code` of"
        " [errors.md](errors.md). How many requests of each class an actor and a tenant have in a minute is in"
        " [settings.md](settings.md) (`CARAPULSE_RATE_…`)."
    )
    return [*head("HTTP", said), *table(["Route", "Permission", "Roles", "Counted as", "Key", "What it does"], rows)]


def _counted(method: str, path: str) -> str:
    if not path.startswith("/v1/"):
        return ""
    return RateClass.STREAM.value if method == "WebSocket" else class_of(method, path).value


def _route_rows(route: Any, keys: Mapping[str, str]) -> list[list[str]]:  # noqa: ANN401 - the framework's own type
    if not isinstance(route.original_route, (APIRoute, APIWebSocketRoute)):
        return []
    needed = [each.dependency.permission for each in route.dependencies if isinstance(each.dependency, Needs)]
    permission, said = code(*needed) if needed else "", sentence(route.original_route.endpoint)
    roles = ", ".join(role for role in Role if needed and needed[0] in GRANTS[role]) if needed else ""
    return [
        [
            code(f"{method} {route.path}"),
            permission,
            "all" if needed == [AUTHENTICATED] or roles.count(",") == len(Role) - 1 else roles,
            _counted(method, route.path),
            keys.get(route.path, "") if method == "POST" else "",
            said,
        ]
        for method in sorted(route.methods or ("WebSocket",))
    ]


def roles_page() -> list[str]:
    """Return which role may do what."""
    rows = [
        [code(permission), *("yes" if permission in GRANTS[role] else "" for role in Role)]
        for permission in sorted(PERMISSIONS)
    ]
    said = (
        "Which role may do what. Only a person may decide an approval, make a key or say what became of a lost step,"
        " whatever a service's or an agent's roles are. A caller with a scope is refused"
        f" {listed(PERMISSIONS - KEEPS_TO_SCOPE)}: these are about the whole tenant."
    )
    return [*head("Roles", said), *table(["Permission", *(role.value for role in Role)], rows)]
