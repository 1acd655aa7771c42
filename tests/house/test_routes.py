"""What every route promises: a guard, a name of its own, words, and a permission that means something."""

import json
import re
from pathlib import Path
from typing import get_type_hints

import pytest
from docs.http import make_http
from fastapi import Response
from fastapi.routing import APIRoute
from starlette.routing import Match

from carapulse.identity.permissions import PERMISSIONS
from carapulse.rates.model import RateClass
from carapulse.routing import AUTHENTICATED
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.contract import guards_of, keys_of, query_parameters_of, routes_of
from carapulse.runtime.http.lazily import names_of
from carapulse.runtime.http.rating import ROUTES

SIGNED = ("/v1/webhooks/", "/v1/chatops/")
STARTS_WORK = {
    "/v1/plans",
    "/v1/plans/{plan_id}/versions",
    "/v1/plans/{plan_id}:execute",
    "/v1/workflows/{name}:start",
    "/v1/executions/{execution_id}:retry",
    "/v1/executions/{execution_id}:undo",
    "/v1/dead-letters/{message_id}:replay",
}
OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
DOCS = "/docs"
HTTP = make_http()
SOURCE = Path(__file__).parents[2] / "shared" / "carapulse"
# They answer 201 or 202, but what they begin is small or was begun by somebody else.
WRITTEN = {
    "POST /v1/approvals",
    "POST /v1/api-keys",
    "POST /v1/api-keys/{key_id}:rotate",
    "POST /v1/channels/{name}:test",
    "POST /v1/collectors/{name}:run",
    "POST /v1/context:refresh",
    "POST /v1/freezes",
    "POST /v1/memory",
    "POST /v1/playbooks",
    "POST /v1/runbooks",
    "POST /v1/schedules",
    "POST /v1/sessions",
    "POST /v1/windows",
    "POST /v1/workflows/{name}/versions",
    *(f"POST /v1/executions/{{execution_id}}:{verb}" for verb in ("cancel", "pause", "resume", "resolve")),
}
GUARDS = list(guards_of(HTTP))
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in HTTP.openapi()["paths"].items()
    for method, operation in methods.items()
]


def is_signed(name):
    return name.partition(" ")[2].startswith(SIGNED)


@pytest.mark.parametrize(("path", "permissions"), GUARDS, ids=[path for path, _ in GUARDS])
def test_a_route_needs_one_permission_or_is_a_signed_webhook_or_says_nothing(path, permissions):
    if path.startswith((*SIGNED, DOCS)) or path in OPEN:
        assert permissions == ()
    else:
        assert path.startswith("/v1/")
        assert len(permissions) == 1


def test_the_table_of_areas_names_every_area_and_no_address_that_is_not_there():
    areas = {f"carapulse.{each.parent.name}.routes" for each in SOURCE.glob("*/routes.py")}
    addresses = [{*names_of(route.path or "")} for route in routes_of(HTTP)]

    assert {each.module for each in ROUTERS.areas} == areas
    assert {each for area in ROUTERS.areas for each in area.addresses} <= set.union(*addresses)


def test_every_permission_opens_something():
    within_a_route = {"authz:check-others", "chat-link:delete-others", "chat-link:read-others"}
    assert {each for _, permissions in GUARDS for each in permissions} == PERMISSIONS - within_a_route | {AUTHENTICATED}


def test_a_route_that_makes_its_own_answer_says_of_which_media_type_it_is():
    routes = [each for each in routes_of(HTTP) if (each.path or "").startswith("/v1/")]

    own = [each for each in routes if get_type_hints(each.endpoint).get("return") is Response]

    assert own
    assert not [each.path for each in own if not (each.responses or {}).get(200, {}).get("content")]


def test_every_route_that_is_counted_apart_is_there():
    assert set(ROUTES) <= {name for name, _ in OPERATIONS}


def test_what_starts_work_and_what_streams_is_counted_apart():
    starting = {name for name, operation in OPERATIONS if {"201", "202"} & set(operation["responses"])}
    streaming = {name for name, operation in OPERATIONS if "text/event-stream" in str(operation["responses"])}

    counted = {name for name in starting if ROUTES.get(name) is RateClass.START}
    plainly_written = {
        name for name in starting - counted if not name.startswith(("PUT ", *(f"POST {each}" for each in SIGNED)))
    }

    assert plainly_written == WRITTEN
    assert {name for name, rate_class in ROUTES.items() if rate_class is RateClass.STREAM} == streaming


def test_every_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for _, operation in OPERATIONS]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_an_operation_says_what_it_does(name, operation):
    assert operation.get("description", "").endswith(".")


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_a_guarded_operation_says_that_it_needs_a_bearer(name, operation):
    is_guarded = name.partition(" ")[2].startswith("/v1/") and not is_signed(name)

    assert bool(operation.get("security")) is is_guarded


def test_every_body_that_is_taken_is_shown():
    bodies = [
        (name, operation["requestBody"]["content"]) for name, operation in OPERATIONS if "requestBody" in operation
    ]
    lacking = [name for name, content in bodies if not all(each.get("examples") for each in content.values())]
    reporting = {name for name, _ in OPERATIONS if is_signed(name)}

    assert lacking == []
    assert reporting <= {name for name, _ in bodies}


def test_what_starts_work_needs_a_key_and_every_other_change_may_have_one():
    keys = keys_of(HTTP)
    said = {
        name.partition(" ")[2]: parameter["required"]
        for name, operation in OPERATIONS
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    }

    assert {path for path, must in keys.items() if must} == STARTS_WORK
    assert {f"POST {path}" for path in STARTS_WORK} == {
        name for name, rate_class in ROUTES.items() if rate_class is RateClass.START
    }
    assert {f"POST {path}" for path in keys} == {
        name for name, _ in OPERATIONS if name.startswith("POST /v1/") and not is_signed(name)
    }
    assert said == keys


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_the_query_parameters_that_a_route_knows_are_those_of_the_contract(name, operation):
    method, _, path = name.partition(" ")
    (route,) = [
        each.original_route for each in routes_of(HTTP) if each.path_format == path and method in (each.methods or ())
    ]

    described = {
        each["name"]: '"array"' in json.dumps(each["schema"])
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }

    assert isinstance(route, APIRoute)
    assert query_parameters_of(route.dependant) == described


def found_by_the_framework(scope):
    """Return the first route that fits, in the framework's order."""
    for each in routes_of(HTTP):
        if each.methods and each.matches(dict(scope))[0] is Match.FULL:
            return each.original_route
    return None


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_a_route_is_found_in_one_step_and_is_the_one_that_the_framework_finds(name, operation):
    method, _, path = name.partition(" ")
    scope = {"type": "http", "method": method, "path": re.sub(r"\{[^}]*\}", "a1", path), "root_path": ""}

    match, found = ROUTERS.matches(scope)

    assert match is Match.FULL or not path.startswith("/v1/"), operation
    if match is Match.FULL:
        assert found["route"] is found_by_the_framework(scope)
        assert found["path_params"] == dict.fromkeys(re.findall(r"\{(\w+)", path), "a1")
