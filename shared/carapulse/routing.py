"""What a routes.py may use: who is asking, the application's ports, and the permission a route needs.

The runtime verifies the bearer before a route sees the request and leaves the principal in the request's state;
without it there is no call, so a route that forgot to be guarded can't act for anybody.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol, cast

from anyio.to_thread import run_sync
from fastapi import Depends, Request, params
from fastapi.security import HTTPBearer

from carapulse.identity.errors import TokenMissing
from carapulse.identity.model import Principal
from carapulse.identity.permissions import PERMISSIONS, Permission, permissions_of, require
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.tracing import Trace, current_trace


class HasClock(Protocol):
    """The part of the application that this module itself asks."""

    @property
    def clock(self) -> Clock:
        """What tells the time of a call."""
        ...


bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token of an issuer that the installation trusts."
)


async def this_call(request: Request, _scheme: Annotated[object, Depends(bearer)]) -> Call:
    """Return who asks, for which tenant, when and under which trace; raise TokenMissing if nobody proved it."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise TokenMissing("a bearer token is needed")
    app = cast("HasClock", request.app.state.app)
    trace = current_trace() or Trace.begin()
    return Call(actor=principal.actor, tenant=principal.tenant, at=app.clock.now(), trace=trace.id)


async def the_app(request: Request) -> Any:  # noqa: ANN401 - each area types it as its own ports
    """Return the composition root's object."""
    return request.app.state.app


ThisCall = Annotated[Call, Depends(this_call)]
"""The call, as an argument of a route."""

Ports = Annotated[Any, Depends(the_app)]
"""The application, as an argument of a route; use cases type it as their own ports."""


Lender = Callable[[Mapping[str, str], Call, Any], frozenset[Permission]]
"""Says what others lent a caller for the one thing that the parameters of a path name; it may block."""


class Needs:
    """Refuses callers whose roles don't allow the permission; also the mark that a route is guarded."""

    def __init__(self, permission: Permission, lender: Lender | None = None) -> None:
        if permission not in PERMISSIONS:
            raise ValueError(f"there is no permission {permission}")
        self.permission = permission
        self._lender = lender

    async def __call__(self, request: Request, call: ThisCall) -> None:
        """Return if the caller may, or raise Denied. The lender is asked only where roles don't suffice."""
        if self._lender is None or self.permission in permissions_of(call.actor.roles):
            require(call, self.permission)
        else:
            lent = await run_sync(self._lender, request.path_params, call, request.app.state.app)
            require(call, self.permission, lent=lent)


def needs(permission: Permission, lender: Lender | None = None) -> params.Depends:
    """Return the guard for a route's `dependencies`, as in `dependencies=[needs("plan:read")]`."""
    return cast("params.Depends", Depends(Needs(permission, lender)))
