"""What every route must promise before the program starts."""

import subprocess
import sys

import pytest
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from tests.builders.rates import HttpChosen, unlimited
from tests.builders.refusing import a_refusal_log

from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.routing import ThisCall, needs
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.contract import UnguardedRoute, guards_of
from carapulse.runtime.http.faults import pointer_to


class Application:
    clock = SystemClock()
    tokens = TokenVerifier([], SystemClock())
    refusals = a_refusal_log()
    rates = unlimited()
    settings = HttpChosen()

    def ready(self):
        return {}


def a_router(path, **rest):
    router = APIRouter()

    @router.get(path, **rest)
    def answer(call: ThisCall) -> int:
        return 1

    return router


def test_a_route_that_nobody_guards_stops_the_start():
    with pytest.raises(UnguardedRoute):
        make_app(Application(), [a_router("/v1/plans")])


def test_a_path_that_only_looks_like_a_webhook_stops_the_start():
    with pytest.raises(UnguardedRoute):
        make_app(Application(), [a_router("/v1/webhooks-of-others")])


def test_a_mounted_application_stops_the_start():
    inner = APIRouter()
    inner.mount("/v1/files", app=PlainTextResponse())

    with pytest.raises(UnguardedRoute):
        make_app(Application(), [inner])


def test_guards_are_found_on_routes_and_on_whole_routers():
    whole = APIRouter(dependencies=[needs("audit:read")])
    whole.include_router(a_router("/v1/audit"))

    app = make_app(
        Application(), [whole, a_router("/v1/plans", dependencies=[needs("plan:read")]), a_router("/v1/webhooks/a")]
    )

    assert {path: needed for path, needed in guards_of(app) if path.startswith("/v1/")} == {
        "/v1/audit": ("audit:read",),
        "/v1/plans": ("plan:read",),
        "/v1/webhooks/a": (),
    }


def test_a_permission_that_does_not_exist_is_found_at_once():
    with pytest.raises(ValueError, match="plan:reed"):
        needs("plan:reed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("location", "is_missing", "pointer"),
    [
        (("steps", 1, "tool"), False, "/steps/1/tool"),
        (("steps", 1, "dict[str,any]", "tool"), False, "/steps/1/tool"),
        (("steps", 0, "undo", "tool"), True, "/steps/0/tool"),
        (("a/b", "m~n"), False, "/a~1b/m~0n"),
        ((), True, ""),
    ],
)
def test_a_pointer_leads_through_the_document_only(location, is_missing, pointer):
    document = {"steps": [{}, {"tool": 1}], "a/b": {"m~n": 1}}

    assert pointer_to(location, document, is_missing=is_missing) == pointer


def test_the_edge_starts_without_the_clouds():
    heavy = ("boto3", "botocore", "grpc", "google.api_core", "alembic", "sqlalchemy", "aws_lambda_powertools")
    code = f"import sys, carapulse.runtime.http.app; print([name for name in {heavy} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
