"""The short way through a route leads to what the framework's own way leads to."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.builders.application import MovableClock
from tests.builders.clients import a_client
from tests.builders.keys import keyed
from tests.builders.plans import a_call, a_request
from tests.builders.served import served
from tests.conftest import a_database, a_folder
from tests.integration.plans.conftest import Served

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.approvals.routes import router as approval_routes
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.plans.routes import router as plan_routes
from carapulse.plans.usecases import create_plan
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.lookup import Lookup
from carapulse.workflows.routes import router as workflow_routes

OF_ONE_REQUEST = {"date", "traceparent", "ratelimit"}
JSON = {"content-type": "application/json"}


@dataclass
class Ways:
    """Asks the same of both ways."""

    short: Any
    whole: Any
    tokens: dict[str, str]
    plan: Any

    def __call__(self, method, path, role="operator", headers=None, **more):
        token = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        path = path.replace("PLAN", self.plan.plan_id)
        return [
            client.request(method, path, headers={**token, **keyed(method), **(headers or {})}, **more)
            for client in (self.short, self.whole)
        ]


@pytest.fixture(scope="module")
def ways(postgres, policy):
    with a_database(postgres) as database, a_folder() as folder, both_ways(database, policy, folder) as made:
        yield made


@contextmanager
def both_ways(database, policy, folder):
    clock = SystemClock()
    issuer = DevelopmentIssuer.load_or_make(folder)
    tokens = {
        role: issuer.mint("acme", "ada", frozenset({role}), timedelta(hours=1)) for role in ("operator", "viewer")
    }
    engine = connect(database.app_url)
    verifier, sealer = TokenVerifier([issuer.issuer], clock), AesGcmSealer.load_or_make(folder)
    app = Served(engine, policy, MovableClock(clock.now()), tokens=verifier, sealer=sealer)
    routers = [plan_routes, approval_routes, workflow_routes]
    short, whole = (make_app(app, routers) for _ in range(2))
    whole.router.routes[:] = [
        each for route in whole.routes for each in (route.load() if isinstance(route, Lookup) else [route])
    ]
    plan, *_ = [create_plan(a_request(), a_call(), app) for _ in range(3)]
    with served(short) as one, served(whole) as two, a_client(one) as first, a_client(two) as second:
        yield Ways(first, second, tokens, plan)
    engine.dispose()


ASKED: dict[str, tuple[Any, ...]] = {
    "a plan": ("GET", "/v1/plans/PLAN"),
    "its head": ("HEAD", "/v1/plans/PLAN"),
    "one that is not": ("GET", "/v1/plans/plan_0"),
    "a page": ("GET", "/v1/plans?limit=2"),
    "a page of no length": ("GET", "/v1/plans?limit=no"),
    "with a parameter that nobody knows": ("GET", "/v1/plans/PLAN?colour=red"),
    "by nobody": ("GET", "/v1/plans/PLAN", None),
    "by somebody who may not": ("POST", "/v1/plans", "viewer", {"json": {}}),
    "nonsense": ("POST", "/v1/plans", "operator", {"json": {"summary": 1}}),
    "by somebody who may not, nonsense": ("POST", "/v1/plans/PLAN:close", "viewer", {"json": {"x": 1}}),
    "no JSON": ("POST", "/v1/plans", "operator", {"content": b"{", "headers": JSON}),
    "without a body": ("POST", "/v1/plans/PLAN:close", "operator", {}),
    "without a key": ("POST", "/v1/plans", "operator", {"json": {}, "headers": {"idempotency-key": ""}}),
    "without an If-Match": ("POST", "/v1/approvals", "operator", {"json": {}}),
    "in XML": ("GET", "/v1/plans/PLAN", "operator", {"headers": {"accept": "text/xml"}}),
    "a version": ("GET", "/v1/plans/PLAN/versions/1"),
    "a version that is no number": ("GET", "/v1/plans/PLAN/versions/one"),
    "by a method that it has not": ("DELETE", "/v1/plans/PLAN"),
    "an address that is not": ("GET", "/v1/plans/PLAN/nothing"),
    "a verb that it has not": ("POST", "/v1/plans/PLAN:fly", "operator", {"json": {}}),
    "a decision about nothing": ("GET", "/v1/plans/PLAN/decisions"),
}


@pytest.mark.parametrize("what", ASKED)
def test_both_ways_answer_alike(ways, what):
    method, path, role, more = asked(*ASKED[what])

    short, whole = ways(method, path, role, **more)

    assert short.status_code == whole.status_code
    assert told(short) == told(whole)
    assert shown(short) == shown(whole)


def asked(method, path, role="operator", more=None):
    return method, path, role, more or {}


def told(answer):
    """Return the headers, but for those that every answer has its own of."""
    own = OF_ONE_REQUEST | {"link"} | ({"content-length"} if "content-encoding" in answer.headers else set())
    return {name: value for name, value in answer.headers.items() if name not in own}


def shown(answer):
    if not answer.headers.get("content-type", "").endswith("json") or not answer.content:
        return answer.content
    body = answer.json()
    return {name: value for name, value in body.items() if name not in {"trace_id", "next_cursor"}}


def test_what_is_made_is_told_alike(ways):
    body = {
        "summary": "Light",
        "context": {"environment": "dev"},
        "steps": a_request().model_dump(mode="json")["steps"],
    }

    made = ways("POST", "/v1/plans", json=body)

    assert [each.status_code for each in made] == [201, 201], made[0].text
    assert [each.headers["location"] for each in made] == [f"/v1/plans/{each.json()['plan_id']}" for each in made]
    assert len({tuple(each.json()) for each in made}) == 1
