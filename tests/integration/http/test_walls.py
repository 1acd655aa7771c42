"""Every route of the contract, asked by whoever may not: the wall stands on each of them, and says the same everywhere."""

from datetime import UTC, datetime

import pytest
from tests.world.site import a_site

from carapulse.identity.model import Role
from carapulse.identity.permissions import GRANTS

OURS_TO_ALL = {"tool", "action", "number", "version"}
"""What names nothing of a tenant by itself."""
OF_NEW_NAMES = {f"PUT /v1/{kind}/{{name}}" for kind in ("channels", "chat/workspaces", "collectors", "sources")} | {
    "POST /v1/workflows/{name}/versions"
}
"""Where any tenant may use a name that another uses too."""


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    with a_site(postgres, tmp_path_factory.mktemp("walls")) as filled:
        yield filled


def told(answer):
    """Return what an answer says, without what is another for each request."""
    said = answer.json() if answer.content else {}
    return answer.status_code, {name: value for name, value in said.items() if name not in {"trace_id", "instance"}}


def test_nobody_comes_in_without_a_good_bearer(site):
    now = int(datetime.now(UTC).timestamp())
    bearers = {
        "none": None,
        "expired": site.forged(iat=now - 7200, exp=now - 3600),
        "wrong issuer": site.forged(iss="https://elsewhere.example"),
        "wrong audience": site.forged(aud="somebody-else"),
        "no expiry": site.forged(exp=None),
        "revoked key": site.revoked,
        "cut": site.token()[:-3],
    }

    answers = {(route, name): site.ask(route, bearer) for route, _ in site.routes() for name, bearer in bearers.items()}

    assert len(answers) > 500
    assert not {key: told(answer) for key, answer in answers.items() if answer.status_code != 401}
    assert all("www-authenticate" in answer.headers for answer in answers.values())


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_a_role_opens_what_the_table_says_and_nothing_else(site, role):
    wrong = {}
    for route, operation in site.routes():
        permission = operation["x-permission"]
        allowed = permission == "authenticated" or (role is not None and permission in GRANTS[role])
        if allowed and not route.startswith("GET"):
            continue  # what is allowed would change what the next tests find
        if "text/event-stream" in str(operation["responses"]) and allowed:
            continue  # it would not end
        answer = site.ask(route, site.token(role))
        refused = answer.status_code == 403 and answer.json()["code"] in {"role-required", "person-required"}
        if refused is allowed or (allowed and answer.status_code >= 500):
            wrong[route] = told(answer)
    assert wrong == {}


def test_what_is_another_tenants_is_not_there(site):
    """The answer about a thing of another tenant is, word for word, the one about a thing that does not exist."""
    rival = site.token("admin", tenant="rival", by="mallory")
    asked = 0
    wrong = {}
    for route, operation in site.routes():
        named = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"} - OURS_TO_ALL
        if route == "POST /v1/approvals":
            named = {"plan_id"}
        if not named or route in OF_NEW_NAMES:
            continue
        asked += 1
        assert named <= site.ids.keys(), route
        own = {**site.ids, **({"name": "own"} if "workflows" in route else {})}
        absent = {name: f"{str(own[name])[:-4]}-{name}-x" for name in named}
        theirs, none = site.ask(route, rival), site.ask(route, rival, absent)
        shown = str(told(none))
        for name, value in absent.items():
            shown = shown.replace(value, str(own[name]))
        if theirs.status_code != 404 or str(told(theirs)) != shown:
            wrong[route] = told(theirs), told(none)
    assert asked > 40
    assert wrong == {}


def test_lists_of_another_tenant_are_empty(site):
    rival = site.token("admin", tenant="rival", by="mallory")
    lists = [route for route, operation in site.routes() if route.startswith("GET") and "{" not in route]

    found = {route: site.ask(route, rival).json() for route in lists if "events" not in route and "audit" not in route}

    full = {route for route, page in found.items() if isinstance(page, dict) and page.get("data")}
    assert full == {"GET /v1/tools", "GET /v1/workflows"}
