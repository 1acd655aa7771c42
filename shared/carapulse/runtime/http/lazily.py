"""Areas whose routes are loaded when one of their addresses is first asked for, and serve every application since.

What an application is differs in its state alone, so the routes are made once in a process, not once for each.
"""

import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Final

from fastapi import APIRouter, Depends
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from carapulse.runtime.http.contract import (
    PROBLEM_ANSWERS,
    RoutesBehind,
    check_guards,
    methods_of,
    operation_id,
    refuse_unfit,
)
from carapulse.runtime.http.fields import build_validators
from carapulse.runtime.http.lookup import Lookup
from carapulse.runtime.http.paths import GUARDED, path_of
from carapulse.runtime.http.verbs import Methods, addresses_of

_ROUTER: Final = "router"


class StrayRoute(Exception):  # noqa: N818 - named for what was found
    """A route at an address that is not its area's: nobody would ever find it there."""


class Area:
    """The routes of one module, and whose they are: `plans`, all at and below /v1/plans, or one of `plans/*:execute`.

    What an address with a star names is not the area's that has the rest.
    """

    def __init__(self, module: str, *addresses: str) -> None:
        self.module = module
        self.addresses = addresses

    def load(self) -> APIRouter:
        """Return the routes as the module has them."""
        router = getattr(import_module(self.module), _ROUTER, None)
        if not isinstance(router, APIRouter):
            raise TypeError(f"{self.module} has no routes")
        return router


class _Loaded:
    """The routes of one area as they are served, and the methods of each address."""

    def __init__(self, router: APIRouter) -> None:
        self.route = included(router)
        self.methods: Methods = addresses_of(methods_of([self.route]))


class Areas(RoutesBehind):
    """One route that stands for those of all areas; it finds the area by the address."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self.areas = areas
        self._owners = {address: area for area in areas for address in area.addresses}
        if len(self._owners) != sum(len(area.addresses) for area in areas):
            raise ValueError("two areas have one address")
        self._loaded: dict[str, _Loaded] = {}
        self._loading = threading.RLock()

    def load(self) -> Sequence[BaseRoute]:
        """Load every area, and return their routes; a process that lives long does so before it begins to serve."""
        return [self._load(area).route for area in self.areas]

    def owner(self, path: str) -> Area | None:
        """Return the area that has an address, or None where nobody does."""
        return next((self._owners[name] for name in names_of(path) if name in self._owners), None)

    def methods_at(self, path: str) -> frozenset[str]:
        """Return what an address answers to; nothing where there is none."""
        area = self.owner(path)
        return frozenset() if area is None else self._load(area).methods.at(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether an area has this address, and load the area if it is the first time that it is asked."""
        area = self.owner(path_of(scope))
        return (Match.NONE, {}) if area is None else self._load(area).route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the area answer."""
        area = self.owner(path_of(scope))
        if area is None:
            raise ValueError("nobody has this address")
        await self._load(area).route.handle(scope, receive, send)

    def _load(self, area: Area) -> _Loaded:
        if found := self._loaded.get(area.module):
            return found
        with self._loading:
            if area.module not in self._loaded:
                self._loaded[area.module] = self._checked(area)
            return self._loaded[area.module]

    def _checked(self, area: Area) -> _Loaded:
        loaded = _Loaded(area.load())
        check_guards([loaded.route])
        for path, _ in methods_of([loaded.route]):
            if self.owner(path) is not area:
                raise StrayRoute(path)
        return loaded


def included(router: APIRouter) -> BaseRoute:
    """Return a router as one route with all that holds for every route of ours."""
    around = APIRouter(responses=PROBLEM_ANSWERS, generate_unique_id_function=operation_id)
    around.include_router(router, dependencies=[Depends(refuse_unfit)])
    route = around.routes[0]
    build_validators(route)
    return Lookup(route)


def names_of(path: str) -> Iterator[str]:
    """Yield the names under which an area may have a path, the narrowest first."""
    if not path.startswith(GUARDED):
        return
    first, *rest = path.removeprefix(GUARDED).split("/")
    if len(rest) == 1:
        yield f"{first}/*:{rest[0].rpartition(':')[2]}"
    if len(rest) > 1:
        yield f"{first}/*/{rest[1]}"
    yield first.partition(":")[0]
