"""The HTTP application, made from the composition root and the areas' routers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from carapulse.identity.bearers import Verifier
from carapulse.identity.model import Principal
from carapulse.kernel.errors import Problem
from carapulse.rates.spending import Rates
from carapulse.runtime.http.compression import Compressed
from carapulse.runtime.http.contract import (
    PROBLEM_ANSWERS,
    check_guards,
    describe,
    methods_of,
    operation_id,
    routes_of,
)
from carapulse.runtime.http.cors import NamedOrigins
from carapulse.runtime.http.door import Door
from carapulse.runtime.http.edge import Edge
from carapulse.runtime.http.gate import Gate, Limits
from carapulse.runtime.http.heads import Heads
from carapulse.runtime.http.health import HasReadiness, make_health_router
from carapulse.runtime.http.lazily import Areas, included
from carapulse.runtime.http.pages import router as pages
from carapulse.runtime.http.problems import answer_framework, answer_invalid, answer_problem
from carapulse.runtime.http.rating import Meter, Rated
from carapulse.runtime.http.refusing import TellsRefusals, a_limiter
from carapulse.runtime.http.repeats import Repeats
from carapulse.runtime.http.strangers import Strangers
from carapulse.runtime.http.unchanged import Unchanged
from carapulse.runtime.http.verbs import Methods, MethodsAt, Verbs, addresses_of
from carapulse.waiting import Waits

if TYPE_CHECKING:
    from carapulse.live.ports import TicketPorts


class HttpChoices(Protocol):
    """What an installation chose for HTTP."""

    @property
    def cors_origins(self) -> frozenset[str]:
        """Origins whose pages may ask from a browser."""
        ...

    @property
    def rate_unauthenticated(self) -> int:
        """How often in a minute an address may fail to say who it is."""
        ...


class HttpApp(TellsRefusals, HasReadiness, Protocol):
    """What HTTP itself asks of the application; each area asks for its own ports."""

    @property
    def tokens(self) -> Verifier:
        """What tells who is asking."""
        ...

    @property
    def rates(self) -> Rates:
        """What counts who asks how often."""
        ...

    @property
    def settings(self) -> HttpChoices:
        """What the installation chose."""
        ...


def make_app(
    app: HttpApp, routers: Areas | Iterable[APIRouter], limits: Limits | None = None, version: str = "1"
) -> FastAPI:
    """Return the application that serves these routers; a server loads all of them before it begins to serve.

    Raises UnguardedRoute when a route under /v1 neither needs a permission nor is a signed webhook; of areas that is
    raised when they are loaded.
    """
    bounds = limits or Limits()
    http = FastAPI(
        title="Carapulse",
        description="Governed change: judged, approved, executed, verified, undone when it did not help, and proven.",
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEM_ANSWERS,
        telemetry={"auto_configure": False},
        generate_unique_id_function=operation_id,
        lifespan=partial(_beginning, limits=bounds),
    )
    http.state.app = app
    http.state.refusing = a_limiter()
    http.state.waits = Waits()
    http.include_router(make_health_router(app))
    http.include_router(pages)
    http.router.routes += [routers] if isinstance(routers, Areas) else map(included, routers)
    check_guards(own := [each for each in http.routes if not isinstance(each, Areas)])
    http.openapi = partial(describe, http)  # type: ignore[method-assign]
    _add_edges(http, app, bounds, _methods_at(addresses_of(methods_of(own)), routers))
    return http


def _methods_at(own: Methods, routers: object) -> MethodsAt:
    if not isinstance(routers, Areas):
        return own.at
    return lambda path: own.at(path) or routers.methods_at(path)


def _take_ticket(app: HttpApp, secret: str) -> Principal:
    from carapulse.live.usecases import take_ticket  # noqa: PLC0415 - few callers come with a ticket

    return take_ticket(secret, cast("TicketPorts", app))


def _add_edges(http: FastAPI, app: HttpApp, limits: Limits, methods_at: MethodsAt) -> None:
    """Put around the routes what holds for all of them, the innermost first."""
    door = Door(partial(_take_ticket, app), limits.origins)
    http.add_exception_handler(Problem, answer_problem)
    http.add_exception_handler(RequestValidationError, answer_invalid)
    http.add_exception_handler(HTTPException, answer_framework)
    http.add_middleware(Repeats, ports=app)
    http.add_middleware(Verbs, methods_at=methods_at)
    http.add_middleware(Heads)
    http.add_middleware(Gate, verifier=app.tokens, door=door, meter=Meter(app.rates), limits=limits)
    http.add_middleware(Rated, strangers=Strangers(app.settings.rate_unauthenticated))
    http.add_middleware(Unchanged)
    http.add_middleware(Compressed)
    if app.settings.cors_origins:
        http.add_middleware(NamedOrigins, origins=app.settings.cors_origins)
    http.add_middleware(Edge)


def _beginning(http: FastAPI, limits: Limits) -> AbstractAsyncContextManager[None]:
    @asynccontextmanager
    async def begun() -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = limits.threads
        await run_sync(routes_of, http)
        yield

    return begun()
