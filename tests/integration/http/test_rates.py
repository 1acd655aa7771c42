"""How often somebody may ask, over HTTP: two programs on one database."""

import re
from contextlib import ExitStack, closing

import pytest
from tests.builders.application import MovableClock
from tests.builders.serving import served
from tests.integration.http.conftest import Application, Client, a_router

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.rates import PostgresRates
from carapulse.bootstrap import quotas
from carapulse.rates.spending import Rates
from carapulse.settings import Settings

FEW = Settings(
    rate_read=5, rate_read_tenant=8, rate_write=3, rate_start=2, rate_stream=2, rate_webhook=1, rate_unauthenticated=4
)
POLICY = re.compile(r'"[a-z-]+";q=\d+;w=60(, "[a-z-]+";q=\d+;w=60)*')
LIMIT = re.compile(r'"[a-z-]+";r=\d+;t=\d+(, "[a-z-]+";r=\d+;t=\d+)*')


@pytest.fixture
def clients(database, tmp_path):
    """Two programs with few requests for everybody."""
    clock = MovableClock()
    with ExitStack() as parts:

        def start(url=database.app_url):
            application = Application(tmp_path)
            application.settings = FEW
            direct = parts.enter_context(closing(Direct(url)))
            application.rates = Rates(PostgresRates(direct, clock.now), quotas(FEW), clock.now().timestamp)
            client = Client(parts.enter_context(served(application, [a_router()])), application)
            parts.enter_context(closing(client.http))
            return client

        yield start


@pytest.fixture
def client(clients):
    return clients()


def refused(answer):
    """Return whether an answer says that there were too many requests, and says it well."""
    if answer.status_code != 429:
        return False
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "rate-limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    return True


def test_two_programs_share_a_limit(clients):
    one, other = clients(), clients()

    answers = [each.ask("GET", "/v1/me") for _ in range(4) for each in (one, other)]

    assert sum(refused(each) for each in answers) == 3


def test_an_answer_says_how_its_caller_stands(client):
    first, second = client.ask("GET", "/v1/me"), client.ask("GET", "/v1/me")

    assert POLICY.fullmatch(first.headers["ratelimit-policy"])
    assert LIMIT.fullmatch(first.headers["ratelimit"])
    assert first.headers["ratelimit-policy"] == '"read";q=5;w=60, "read-tenant";q=8;w=60'
    assert first.headers["ratelimit"].startswith('"read";r=4;t=')
    assert '"read-tenant";r=6;' in second.headers["ratelimit"]
    assert client.http.get("/healthz").headers.keys().isdisjoint({"ratelimit", "ratelimit-policy"})


@pytest.mark.parametrize(
    ("method", "path", "policy", "most"),
    [
        ("HEAD", "/v1/me", "read", 5),
        ("GET", "/v1/nothing", "read", 5),
        ("DELETE", "/v1/me", "write", 3),
        ("POST", "/v1/plans", "start", 2),
        ("POST", "/v1/plans/plan_1:execute", "start", 2),
        ("GET", "/v1/executions/x/logs", "stream", 2),
    ],
)
def test_requests_are_counted_with_their_like(client, method, path, policy, most):
    answer = client.ask(method, path)

    assert answer.headers["ratelimit-policy"].startswith(f'"{policy}";q={most};w=60')


def test_whoever_asked_too_often_is_told_so_before_the_body_is_read_and_others_are_not(client):
    answers = [client.post("/v1/plans", b"{") for _ in range(6)]

    assert [each.status_code for each in answers[:2]] == [400, 400]
    assert refused(answers[-1])
    assert answers[-1].json()["policy"] == "start"
    assert client.ask("GET", "/v1/me").status_code == 200
    other = client.token("admin", tenant="initech")
    assert client.http.post("/v1/plans", json={"summary": "x"}, headers=bearer(other)).status_code == 201


def test_health_is_never_refused(client):
    assert {client.http.get("/healthz").status_code for _ in range(30)} == {200}


def test_a_source_s_webhooks_are_limited_once_it_is_registered(client, database):
    with database.as_superuser() as connection:
        connection.run(
            "INSERT INTO sources VALUES ('acme', 'src_1', 'x', '{\"trust\": \"signed\"}', 1, now(), now(), NULL)"
        )

    known = [client.http.post("/v1/webhooks/echo/src_1", content=b"x") for _ in range(4)]
    unknown = [client.http.post("/v1/webhooks/echo/src_2", content=b"x") for _ in range(4)]

    assert any(refused(each) for each in known)
    assert {each.status_code for each in unknown} == {202}


def test_a_workspace_of_a_chat_is_limited_as_a_source_is(client, database):
    with database.as_superuser() as connection:
        connection.run(
            "INSERT INTO chat_workspaces VALUES ('acme', 'chat_1', 'x', 'slack', 'T1', 'sealed', 1, now(), now())"
        )

    known = [client.http.post("/v1/chatops/echo/chat_1/x", content=b"x") for _ in range(4)]

    assert any(refused(each) for each in known)


def test_guessing_tokens_becomes_slow_but_shuts_out_nobody_who_was_known(client):
    known, new = client.token("admin"), client.token("admin", subject="bob")
    client.http.get("/v1/me", headers=bearer(known))

    guesses = [client.http.get("/v1/me", headers=bearer(f"guess-{number}")) for number in range(6)]

    assert [each.status_code for each in guesses] == [401] * 4 + [429] * 2
    assert refused(guesses[-1])
    assert client.http.get("/v1/me", headers=bearer(new)).status_code == 429
    assert client.http.get("/v1/me", headers=bearer(known)).status_code == 200


def test_without_the_database_nobody_is_let_in(clients):
    client = clients("postgresql://nobody@127.0.0.1:9/nothing")

    answer = client.ask("GET", "/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers
    assert client.http.get("/healthz").status_code == 200


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
