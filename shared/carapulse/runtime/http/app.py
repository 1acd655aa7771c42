"""The HTTP application, made from the composition root and the areas' routers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Protocol

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from carapulse.kernel.errors import Problem
from carapulse.routing import HasClock
from carapulse.runtime.http.contract import (
    PROBLEM_ANSWERS,
    check_guards,
    describe,
    methods_of,
    refuse_unknown_parameters,
)
from carapulse.runtime.http.edge import Edge
from carapulse.runtime.http.gate import Gate, Limits, Verifier
from carapulse.runtime.http.health import HasReadiness, make_health_router
from carapulse.runtime.http.pages import router as pages
from carapulse.runtime.http.problems import answer_framework, answer_invalid, answer_problem
from carapulse.runtime.http.unchanged import Unchanged
from carapulse.runtime.http.verbs import Verbs, addresses_of


class HttpApp(HasClock, HasReadiness, Protocol):
    """What HTTP itself asks of the application; each area asks for its own ports."""

    @property
    def tokens(self) -> Verifier:
        """What tells who is asking."""
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
    http.include_router(make_health_router(app))
    http.include_router(pages)
    for router in routers:
        http.include_router(router, dependencies=[Depends(refuse_unknown_parameters)])
    check_guards(http)
    http.openapi = partial(describe, http)  # type: ignore[method-assign]
    _add_edges(http, app.tokens, bounds)
    return http


def _add_edges(http: FastAPI, verifier: Verifier, limits: Limits) -> None:
    http.add_exception_handler(Problem, answer_problem)
    http.add_exception_handler(RequestValidationError, answer_invalid)
    http.add_exception_handler(HTTPException, answer_framework)
    http.add_middleware(Verbs, methods=addresses_of(methods_of(http)))
    http.add_middleware(Gate, verifier=verifier, limits=limits)
    http.add_middleware(Unchanged)
    http.add_middleware(Edge)


def _bounded_pool(_http: FastAPI, limits: Limits) -> AbstractAsyncContextManager[None]:
    @asynccontextmanager
    async def bounded() -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = limits.threads
        yield

    return bounded()


def _operation_id(route: APIRoute) -> str:
    return "_".join([*(str(tag) for tag in route.tags), route.name])
