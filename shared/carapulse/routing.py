"""What a routes.py may use: who is asking, the application's ports, and the permission a route needs.

The runtime verifies the bearer before a route sees the request and leaves the principal in the request's state;
without it there is no call, so a route that forgot to be guarded can't act for anybody.
"""

from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request, params
from fastapi.security import HTTPBearer

from carapulse.idempotency.errors import KeyMissing
from carapulse.idempotency.model import HEADER
from carapulse.identity.errors import TokenMissing
from carapulse.identity.model import Principal
from carapulse.identity.permissions import PERMISSIONS, Permission, require
from carapulse.kernel.call import Attempt, Call
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
    return call_of(principal, app.clock, getattr(request.state, "attempt", None))


def call_of(principal: Principal, clock: Clock, attempt: Attempt | None = None) -> Call:
    """Return the call that somebody makes now, under the trace of the request."""
    trace = current_trace() or Trace.begin()
    return Call(actor=principal.actor, tenant=principal.tenant, at=clock.now(), trace=trace.id, attempt=attempt)


async def the_app(request: Request) -> Any:  # noqa: ANN401 - each area types it as its own ports
    """Return the composition root's object."""
    return request.app.state.app


ThisCall = Annotated[Call, Depends(this_call)]
"""The call, as an argument of a route."""

Ports = Annotated[Any, Depends(the_app)]
"""The application, as an argument of a route; use cases type it as their own ports."""


class Needs:
    """Refuses callers whose roles don't allow the permission; also the mark that a route is guarded."""

    def __init__(self, permission: Permission) -> None:
        if permission not in PERMISSIONS:
            raise ValueError(f"there is no permission {permission}")
        self.permission = permission

    async def __call__(self, call: ThisCall, request: Request) -> None:
        """Return if the caller may, or raise Denied."""
        require(call, self.permission)
        request.state.permission = self.permission


def needs(permission: Permission) -> params.Depends:
    """Return the guard for a route's `dependencies`, as in `dependencies=[needs("plan:read")]`."""
    return cast("params.Depends", Depends(Needs(permission)))


class StartsWork:
    """Refuses a request without an idempotency key; also the mark that a route starts work."""

    async def __call__(self, call: ThisCall) -> None:
        """Return if the request can be sent again without harm, or raise KeyMissing."""
        if call.attempt is None:
            raise KeyMissing(f"this starts work: say under which {HEADER}, so that it can be sent again")


class ShowsSecret:
    """The mark of a route whose answer has a secret in it that is shown once, and must not be kept to be replayed."""

    async def __call__(self, request: Request) -> None:
        """Tell those who keep answers."""
        request.state.answer_is_secret = True


starts_work = cast("params.Depends", Depends(StartsWork()))
"""For a route's `dependencies`, behind the permission that it needs."""

shows_secret = cast("params.Depends", Depends(ShowsSecret()))
"""For a route's `dependencies`."""
