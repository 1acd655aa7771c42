"""What every route promises: a guard, a name of its own, words, and a permission that means something."""

import pytest

from carapulse.identity.permissions import PERMISSIONS
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.contract import guards_of

SIGNED = "/v1/webhooks/"
OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
DOCS = "/docs"


class Application:
    """What HTTP itself asks of the application; no route is called here."""

    clock = SystemClock()
    tokens = TokenVerifier([], SystemClock())

    def ready(self):
        return {}


HTTP = make_app(Application(), ROUTERS)
GUARDS = list(guards_of(HTTP))
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in HTTP.openapi()["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("path", "permissions"), GUARDS, ids=[path for path, _ in GUARDS])
def test_a_route_needs_one_permission_or_is_a_signed_webhook_or_says_nothing(path, permissions):
    if path.startswith((SIGNED, DOCS)) or path in OPEN:
        assert permissions == ()
    else:
        assert path.startswith("/v1/")
        assert len(permissions) == 1


def test_every_permission_opens_something():
    assert {each for _, permissions in GUARDS for each in permissions} == PERMISSIONS


def test_every_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for _, operation in OPERATIONS]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_an_operation_says_what_it_does(name, operation):
    assert operation.get("description", "").endswith(".")


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_a_guarded_operation_says_that_it_needs_a_bearer(name, operation):
    is_guarded = name.partition(" ")[2].startswith("/v1/") and SIGNED not in name

    assert bool(operation.get("security")) is is_guarded
