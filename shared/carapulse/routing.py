"""What a routes.py may use: who is asking, the application's ports, and the permission a route needs.

The runtime verifies the bearer before a route sees the request and leaves the principal in the request's state;
without it there is no call, so a route that forgot to be guarded can't act for anybody.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Protocol, cast

from anyio.to_thread import run_sync
from fastapi import Depends, Request, params
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPBearer

from carapulse.idempotency.errors import KeyMissing
from carapulse.idempotency.model import HEADER
from carapulse.identity.errors import TokenMissing
from carapulse.identity.model import Principal
from carapulse.identity.permissions import PERMISSIONS, Permission, permissions_of, require
from carapulse.kernel.call import Attempt, Call
from carapulse.kernel.clock import Clock
from carapulse.tracing import Trace, current_trace


class HasClock(Protocol):
    """The part of the application that this module itself asks."""

    @property
    def clock(self) -> Clock:
        """What tells the time of a call."""
        ...


class _Bearer(HTTPBearer):
    """Describes the bearer in OpenAPI; the gate has read it by then, of a WebSocket too."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Do nothing."""


bearer = _Bearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="HTTPBearer",
    description="A token of an issuer that the installation trusts.",
)


async def this_principal(connection: HTTPConnection) -> Principal:
    """Return who asks, how they proved it and for how long that holds; raise TokenMissing if nobody did."""
    principal: Principal | None = getattr(connection.state, "principal", None)
    if principal is None:
        raise TokenMissing("a bearer token is needed")
    return principal


ThisPrincipal = Annotated[Principal, Depends(this_principal)]
"""Who asks and until when that is proven, as an argument of a route."""


async def this_call(connection: HTTPConnection) -> Call:
    """Return who asks, for which tenant, when and under which trace."""
    # Called, not depended on: the framework walks through every dependency again wherever it is named.
    principal = await this_principal(connection)
    app = cast("HasClock", connection.app.state.app)
    return call_of(principal, app.clock, getattr(connection.state, "attempt", None))


def call_of(principal: Principal, clock: Clock, attempt: Attempt | None = None) -> Call:
    """Return the call that somebody makes now, under the trace of the request."""
    trace = current_trace() or Trace.begin()
    return Call(actor=principal.actor, tenant=principal.tenant, at=clock.now(), trace=trace.id, attempt=attempt)


async def the_app(connection: HTTPConnection) -> Any:  # noqa: ANN401 - each area types it as its own ports
    """Return the composition root's object."""
    return connection.app.state.app


ThisCall = Annotated[Call, Depends(this_call)]
"""The call, as an argument of a route."""

Ports = Annotated[Any, Depends(the_app)]
"""The application, as an argument of a route; use cases type it as their own ports."""


AUTHENTICATED: Final = "authenticated"
"""What a route needs that anybody may ask who proved who they are."""


Lender = Callable[[Mapping[str, str], Call, Any], frozenset[Permission]]
"""Says what others lent a caller for the one thing that a path, or else a body, names; it may block."""


class Needs:
    """Refuses callers who may not do what the permission says; also the mark that a route is guarded."""

    def __init__(self, permission: Permission | Literal["authenticated"], lender: Lender | None = None) -> None:
        if permission not in PERMISSIONS | {AUTHENTICATED}:
            raise ValueError(f"there is no permission {permission}")
        self.permission = permission
        self._lender = lender

    async def __call__(self, connection: HTTPConnection, _scheme: Annotated[object, Depends(bearer)]) -> None:
        """Return if the caller may, or raise Denied; the request remembers what was asked for.

        The lender is asked only where roles don't suffice.
        """
        call = await this_call(connection)  # not depended on, as above
        connection.state.permission = self.permission
        if self.permission == AUTHENTICATED:
            return
        if self._lender is None or self.permission in permissions_of(call.actor.roles):
            require(call, self.permission)
        else:
            named = {**await _named_in_body(connection), **connection.path_params}
            lent = await run_sync(self._lender, named, call, connection.app.state.app)
            require(call, self.permission, lent=lent)
            # What is lent ends with its use. Who sends the request again needs what shows the thing that it was about.
            connection.state.needed_again = f"{self.permission.partition(':')[0]}:read"


async def _named_in_body(connection: HTTPConnection) -> dict[str, str]:
    """Return the words of a request's body, which was read by now."""
    body = await connection.json() if isinstance(connection, Request) and await connection.body() else None
    return {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}


def needs(permission: Permission | Literal["authenticated"], lender: Lender | None = None) -> params.Depends:
    """Return the guard for a route's `dependencies`, as in `dependencies=[needs("plan:read")]`."""
    return cast("params.Depends", Depends(Needs(permission, lender)))


class StartsWork:
    """Refuses a request without an idempotency key; also the mark that a route starts work."""

    async def __call__(self, call: ThisCall) -> None:
        """Return if the request can be sent again without harm, or raise KeyMissing."""
        if call.attempt is None:
            raise KeyMissing(f"this starts work: say under which {HEADER}, so that it can be sent again")


class ShowsSecret:
    """The mark of a route whose answer has a secret in it that is shown once, and must not be kept to be replayed."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Tell those who keep answers."""
        connection.state.answer_is_secret = True


starts_work = cast("params.Depends", Depends(StartsWork()))
"""For a route's `dependencies`, behind the permission that it needs."""

shows_secret = cast("params.Depends", Depends(ShowsSecret()))
"""For a route's `dependencies`."""
