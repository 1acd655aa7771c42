"""What is made is told with its address and its tag, as the contract says, and is found there with that tag."""

import pytest
from tests.builders.contract import CONTRACT
from tests.world.rig import act, check
from tests.world.site import BODIES, a_site

CREATED = {
    f"{method.upper()} {path}": operation["responses"]
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
    if "201" in operation["responses"]
}
ACCEPTED = "POST /v1/plans/{plan_id}:execute"
NOTHING_IS_MADE = {"POST /v1/dead-letters/{message_id}:replay", "POST /v1/channels/{name}:test"}


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    with a_site(postgres, tmp_path_factory.mktemp("made")) as filled:
        yield filled


@pytest.mark.parametrize("route", CREATED)
def test_the_contract_names_address_and_tag_of_whatever_is_made(route):
    assert CREATED[route]["201"].get("headers", {}).keys() >= {"Location", "ETag"}


def test_so_it_does_of_what_is_begun(site):
    """A webhook tells a machine no address; a message that is replayed has none any more, a test message none but its list."""
    silent = {
        route
        for route, operation in site.routes()
        if "202" in operation["responses"] and "Location" not in operation["responses"]["202"].get("headers", {})
    }

    assert silent == NOTHING_IS_MADE


def asked_for(site, route):
    """Return what must be said otherwise than Site does, so that the route makes something new."""
    if route in {"POST /v1/approvals", "POST /v1/plans/{plan_id}/versions"}:
        plan = site.rig.plan(act("switch", "hall"), check("hall"), environment="prod")
        seen = site.ask("GET /v1/plans/{plan_id}", site.token(), {"plan_id": plan.plan_id}).headers["etag"]
        answer = {"body": {"plan_id": "", "status": "approved", "digest": plan.digest}, "if-match": seen}
        return {"ids": {"plan_id": plan.plan_id}} | (answer if "approvals" in route else {})
    if route.endswith(":undo"):
        return {"ids": {"execution_id": site.rig.run(act("switch", "attic"), check("attic")).id}}
    if route.endswith(":rotate"):
        return {"ids": {"key_id": site.ask("POST /v1/api-keys", site.token()).json()["key"]["id"]}}
    if route.startswith("PUT"):
        return {"ids": {"name": "further", "member_id": "further"}, "if-match": None, "if-none-match": "*"}
    return {"body": {**BODIES[route], "name": "further"}} if "name" in BODIES[route] else {}


@pytest.mark.parametrize("route", CREATED)
def test_what_is_made_is_found_under_its_address_with_its_tag(site, route):
    by = "grace" if route == "POST /v1/approvals" else "ada"
    made = site.ask(route, site.token(by=by), **asked_for(site, route))

    found = site.ask(f"GET {made.headers.get('location')}", site.token())

    assert made.status_code == 201, made.text
    assert found.status_code == 200, found.text
    assert found.headers["etag"] == made.headers["etag"]


def test_what_is_begun_is_found_under_its_address_with_its_tag(site):
    plan = site.ask("POST /v1/plans", site.token()).json()

    begun = site.ask(ACCEPTED, site.token(), {"plan_id": plan["plan_id"]})

    found = site.ask(f"GET {begun.headers['location']}", site.token())
    assert begun.status_code == 202, begun.text
    assert (found.status_code, found.headers["etag"]) == (200, begun.headers["etag"])
