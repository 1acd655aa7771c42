"""Areas are loaded when they are first asked for, once in a process, and only if everything in them is guarded."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from fastapi import APIRouter
from tests.unit.edge.test_contract import Application, a_router

from carapulse.routing import needs
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.contract import UnguardedRoute, guards_of
from carapulse.runtime.http.gateway import below
from carapulse.runtime.http.lazily import Area, Areas, StrayRoute

LOADED = """
import sys, carapulse.runtime.areas as areas, carapulse.runtime.http.app as http
from tests.unit.edge.test_contract import Application
loaded = lambda: sorted(name for name in sys.modules if name.startswith("carapulse.") and name.endswith(".routes"))
app = http.make_app(Application(), areas.ROUTERS)
before = loaded()
areas.ROUTERS.matches({"type": "http", "method": "GET", "path": "/v1/windows/x"})
print(before, loaded())
"""


class Counted(Area):
    """An area whose router is at hand, and that counts how often it is asked for."""

    def __init__(self, router: APIRouter, *addresses: str) -> None:
        super().__init__(str(addresses), *addresses)
        self.router = router
        self.times = 0

    def load(self) -> APIRouter:
        self.times += 1
        return self.router


def guarded(path):
    return a_router(path, dependencies=[needs("plan:read")])


def asked(path, method="GET"):
    return {"type": "http", "method": method, "path": path}


def test_no_area_is_loaded_before_one_of_its_addresses_is_asked_for():
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED], capture_output=True, text=True, check=True, timeout=60
    )

    assert said.stdout.strip() == "[] ['carapulse.freezes.routes']"


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v1/plans", 0),
        ("/v1/plans/p", 0),
        ("/v1/plans/p:archive", 0),
        ("/v1/plans/p/evidence/x", 1),
        ("/v1/plans/p/evidence", 1),
        ("/v1/plans/p:execute", 1),
        ("/v1/plans/p:archive:execute", 1),
        ("/v1/plans:execute", 0),
        ("/v1/plans/a/b:execute", 0),
        ("/v1/runs", 1),
        ("/v1/runsx", None),
        ("/v1/", None),
        ("/v2/plans", None),
        ("/plans", None),
    ],
)
def test_the_narrowest_name_says_whose_an_address_is(path, owner):
    areas = [Counted(APIRouter(), "plans"), Counted(APIRouter(), "runs", "plans/*:execute", "plans/*/evidence")]

    assert Areas(areas).owner(path) == (None if owner is None else areas[owner])


def test_an_area_is_loaded_once_for_all_applications_and_threads():
    area = Counted(guarded("/v1/plans"), "plans")
    areas = Areas([area])
    applications = [make_app(Application(), areas) for _ in range(3)]
    together = threading.Barrier(4)

    def ask(_):
        together.wait()
        return areas.matches(asked("/v1/plans"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    guards = [list(guards_of(each))[-1] for each in applications]

    assert area.times == 1
    assert guards == [("/v1/plans", ("plan:read",))] * 3


def test_a_server_loads_every_area_before_it_begins_to_serve():
    areas = [Counted(guarded("/v1/plans"), "plans"), Counted(guarded("/v1/runs"), "runs")]
    http = make_app(Application(), Areas(areas))

    async def begin():
        async with http.router.lifespan_context(http):
            return [each.times for each in areas]

    assert anyio.run(begin) == [1, 1]


def test_an_unguarded_area_answers_nobody():
    area = Counted(a_router("/v1/plans"), "plans")

    for _ in range(2):
        with pytest.raises(UnguardedRoute):
            Areas([area]).matches(asked("/v1/plans"))


def test_a_route_outside_the_addresses_of_its_area_is_refused():
    with pytest.raises(StrayRoute):
        Areas([Counted(guarded("/v1/plans/{plan_id}:run"), "plans"), Counted(guarded("/v1/x"), "plans/*:run")]).load()


@pytest.mark.parametrize("start", ["/v1/runs/", "/v1/plans/x/", "/v2/plans"])
def test_a_function_that_would_serve_nothing_is_refused(start):
    with pytest.raises(ValueError, match=f"nothing below {start}"):
        below(start, Areas([Counted(guarded("/v1/plans"), "plans")]))


def test_two_areas_at_one_address_are_refused():
    with pytest.raises(ValueError, match="two areas"):
        Areas([Area("a", "plans"), Area("b", "plans")])


def test_a_module_without_routes_is_refused():
    with pytest.raises(TypeError, match="no routes"):
        Areas([Area("carapulse.kernel.record", "plans")]).load()
