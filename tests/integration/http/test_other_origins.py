"""Pages of other origins: nobody's unless an operator named them."""

from contextlib import closing

import pytest
from tests.builders.rates import HttpChosen
from tests.builders.serving import served
from tests.integration.http.conftest import Application, Client, a_router

from carapulse.kernel.errors import Invalid
from carapulse.settings import load_settings

OURS = "https://ops.example.com"


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    application = Application(tmp_path_factory.mktemp("issuer"))
    application.settings = HttpChosen(cors_origins=frozenset({OURS}))
    with served(application, [a_router()]) as port, closing(Client(port, application).http) as http:
        asking = Client(port, application)
        asking.http.close()
        asking.http = http
        yield asking


def preflight(client, origin, method="POST", headers="authorization,content-type,idempotency-key"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return client.http.options("/v1/plans", headers=asked)


def allowing(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_without_a_named_origin_no_page_is_told_anything(client):
    asked = client.ask("GET", "/v1/me", headers={"Origin": OURS})

    assert asked.status_code == 200
    assert allowing(asked) == {}
    assert preflight(client, OURS).status_code == 401
    assert allowing(preflight(client, OURS)) == {}


def test_a_named_page_may_ask_before_it_has_a_token(named):
    answer = preflight(named, OURS)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "traceparent" in answer.headers


def test_a_named_page_may_read_answers_and_problems_and_the_headers_that_matter(named):
    for answer in (
        named.ask("GET", "/v1/me", headers={"Origin": OURS}),
        named.http.get("/v1/me", headers={"Origin": OURS}),
    ):
        assert answer.headers["access-control-allow-origin"] == OURS
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert {"ETag", "Location", "Link", "RateLimit", "RateLimit-Policy", "Retry-After"} <= exposed
        assert {"Idempotent-Replayed", "traceparent"} <= exposed
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://ops.example.com", f"{OURS}.evil.com", "null"])
def test_other_pages_may_not(named, origin):
    answer = preflight(named, origin)

    assert (answer.status_code, answer.json()["code"]) == (400, "origin-refused")
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in named.ask("GET", "/v1/me", headers={"Origin": origin}).headers


@pytest.mark.parametrize(
    "given",
    [
        {"cors_origins": ["*"]},
        {"cors_origins": ["null"]},
        {"cors_origins": ["https://*.example.com"]},
        {"cors_origins": ["https://ops.example.com/"]},
        {"cors_origins": ["https://Ops.example.com"]},
        {"cors_origins": ["ops.example.com"]},
        {"trusted_proxies": ["proxy"]},
        {"rate_read": 0},
        {"rate_read": 700, "rate_read_tenant": 600},
    ],
    ids=str,
)
def test_what_cannot_be_meant_stops_the_start(given):
    with pytest.raises(Invalid):
        load_settings(**given)
