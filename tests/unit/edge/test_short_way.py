"""The ways past the framework agree with it, wherever the application is mounted and whatever a route chooses."""

import anyio
import pytest
from fastapi import APIRouter, Depends, Response
from tests.unit.edge.test_areas import Counted
from tests.unit.edge.test_contract import Application

from carapulse.kernel.record import Record
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.lazily import Areas
from carapulse.runtime.http.paths import path_of

routes = APIRouter()


class Said(Record):
    heard: str


async def chosen(response: Response) -> None:
    response.status_code = 204


@routes.get("/v1/webhooks/{source}")
def show(source: str) -> Said:
    return Said(heard=source)


@routes.post("/v1/webhooks/{source}:test")
def try_out(source: str) -> Said:
    return Said(heard=source)


@routes.get("/v1/webhooks/{source}/nothing", dependencies=[Depends(chosen)])
def say_nothing(source: str) -> Said:
    return Said(heard=source)


@routes.get("/v1/webhooks/{source}/wrong")
def say_wrong(source: str) -> Said:
    return {"heard": [source]}  # type: ignore[return-value]


def asked(method, path, root_path=""):
    http, told = make_app(Application(), Areas([Counted(routes, "webhooks")])), []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": root_path,
        "scheme": "http",
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.1", 1),
        "server": ("api", 80),
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    anyio.run(http, scope, receive, send)
    headers = dict(told[0]["headers"])
    return told[0]["status"], headers.get(b"allow", b"").decode(), b"".join(each["body"] for each in told[1:])


@pytest.mark.parametrize("root_path", ["", "/prod"])
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/webhooks/a:test", "POST"),
        ("POST", "/v1/webhooks/a", "GET, HEAD"),
        ("DELETE", "/v1/webhooks/a:test", "POST"),
    ],
)
def test_an_address_has_its_own_methods_wherever_the_application_is_mounted(root_path, method, path, allowed):
    status, told, _ = asked(method, root_path + path, root_path)

    assert (status, told) == (405, allowed)


@pytest.mark.parametrize(
    ("root_path", "path", "below"),
    [
        ("", "/v1/plans", "/v1/plans"),
        ("/prod", "/prod/v1/plans", "/v1/plans"),
        ("/prod", "/v1/plans", "/v1/plans"),
        ("/prod", "/prod", ""),
        ("/v", "/v1/plans", "/v1/plans"),
        ("/prod/", "/prod/v1/plans", "/prod/v1/plans"),
    ],
)
def test_a_path_is_guarded_as_the_one_that_the_framework_serves(root_path, path, below):
    assert path_of({"path": path, "root_path": root_path}) == below


def test_an_answer_that_has_no_content_has_none_by_the_short_way_either():
    assert asked("GET", "/v1/webhooks/a/nothing") == (204, "", b"")


def test_an_answer_that_is_not_what_the_route_promised_is_a_defect_and_is_not_shown():
    status, _, body = asked("GET", "/v1/webhooks/hunter2/wrong")

    assert status == 500
    assert b"hunter2" not in body
