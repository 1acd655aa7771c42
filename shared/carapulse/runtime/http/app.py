"""The HTTP application, made from the composition root and the areas' routers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Protocol, cast

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException

from carapulse.identity.bearers import Verifier
from carapulse.kernel.errors import Problem
from carapulse.live.ports import TicketPorts
from carapulse.live.usecases import take_ticket
from carapulse.rates.spending import Rates
from carapulse.runtime.http.compression import Compressed
from carapulse.runtime.http.contract import (
    PROBLEM_ANSWERS,
    check_guards,
    describe,
    methods_of,
    refuse_unknown_parameters,
)
from carapulse.runtime.http.cors import NamedOrigins
from carapulse.runtime.http.door import Door
from carapulse.runtime.http.edge import Edge
from carapulse.runtime.http.gate import Gate, Limits
from carapulse.runtime.http.heads import Heads
from carapulse.runtime.http.health import HasReadiness, make_health_router
from carapulse.runtime.http.lookup import Lookup
from carapulse.runtime.http.media import negotiate
from carapulse.runtime.http.pages import router as pages
from carapulse.runtime.http.problems import answer_framework, answer_invalid, answer_problem
from carapulse.runtime.http.rating import Meter, Rated
from carapulse.runtime.http.refusing import TellsRefusals, a_limiter
from carapulse.runtime.http.repeats import Repeats
from carapulse.runtime.http.strangers import Strangers
from carapulse.runtime.http.unchanged import Unchanged
from carapulse.runtime.http.verbs import Verbs, addresses_of
from carapulse.waiting import Waits


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


def make_app(app: HttpApp, routers: Iterable[APIRouter], limits: Limits | None = None, version: str = "1") -> FastAPI:
    """Return the application that serves these routers.

    Raises UnguardedRoute when a route under /v1 neither needs a permission nor is a signed webhook.
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
        generate_unique_id_function=_operation_id,
        lifespan=partial(_bounded_pool, limits=bounds),
    )
    http.state.app = app
    http.state.refusing = a_limiter()
    http.state.waits = Waits()
    http.include_router(make_health_router(app))
    http.include_router(pages)
    for router in routers:
        http.include_router(router, dependencies=[Depends(_refuse_unfit)])
    check_guards(http)
    http.openapi = partial(describe, http)  # type: ignore[method-assign]
    _add_edges(http, app, bounds)
    http.router.routes.insert(0, Lookup(iter_route_contexts(http.routes)))
    return http


async def _refuse_unfit(request: HTTPConnection) -> None:
    """Return if the caller takes what the route gives, and the route knows every query parameter."""
    await negotiate(request)
    await refuse_unknown_parameters(request)


def _add_edges(http: FastAPI, app: HttpApp, limits: Limits) -> None:
    """Put around the routes what holds for all of them, the innermost first."""
    door = Door(partial(take_ticket, ports=cast("TicketPorts", app)), limits.origins)
    http.add_exception_handler(Problem, answer_problem)
    http.add_exception_handler(RequestValidationError, answer_invalid)
    http.add_exception_handler(HTTPException, answer_framework)
    http.add_middleware(Repeats, ports=app)
    http.add_middleware(Verbs, methods=addresses_of(methods_of(http)))
    http.add_middleware(Heads)
    http.add_middleware(Gate, verifier=app.tokens, door=door, meter=Meter(app.rates), limits=limits)
    http.add_middleware(Rated, strangers=Strangers(app.settings.rate_unauthenticated))
    http.add_middleware(Unchanged)
    http.add_middleware(Compressed)
    if app.settings.cors_origins:
        http.add_middleware(NamedOrigins, origins=app.settings.cors_origins)
    http.add_middleware(Edge)


def _bounded_pool(_http: FastAPI, limits: Limits) -> AbstractAsyncContextManager[None]:
    @asynccontextmanager
    async def bounded() -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = limits.threads
        yield

    return bounded()


def _operation_id(route: APIRoute) -> str:
    return "_".join([*(str(tag) for tag in route.tags), route.name])
