"""What every answer has: one shape of problem, a trace, safe headers, numbers and a log line."""

import io
import json
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from carapulse.runtime.logging import JsonLines

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@contextmanager
def logged(level=logging.INFO):
    """Collect what the program says, as an operator would read it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines("test"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    lines: list[dict[str, object]] = []
    try:
        yield lines
        deadline = time.monotonic() + 2
        while '"event":"request_handled"' not in written.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        lines += [json.loads(line) for line in written.getvalue().splitlines()]
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def number(client, name, **labels):
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    for line in client.http.get("/metrics").text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and wanted <= set((found[2] or "").split(",")):
            return float(found[3])
    return 0.0


def test_a_problem_has_the_members_of_rfc_9457_and_its_facts(client):
    answer = client.ask("GET", "/v1/problems/conflict", headers={"traceparent": PARENT})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "https://carapulse.dev/problems/plan-changed",
        "title": "Plan changed",
        "status": 409,
        "detail": "the plan is another one now",
        "code": "plan-changed",
        "trace_id": TRACE,
        "errors": [],
        "plan_id": "plan_1",
    }


def test_an_area_s_faults_are_listed(client):
    answer = client.ask("GET", "/v1/problems/faults")

    assert answer.json()["errors"] == [{"pointer": "/steps/0", "code": "unknown-action", "detail": "no such"}]


def test_what_is_unavailable_says_when_to_come_back(client):
    answer = client.ask("GET", "/v1/problems/unavailable")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_a_defect_tells_the_caller_the_trace_only_and_the_log_the_rest(client):
    with logged() as lines:
        answer = client.ask("GET", "/v1/problems/bug", headers={"traceparent": PARENT})

    assert (answer.status_code, answer.json()["code"], answer.json()["trace_id"]) == (500, "internal-error", TRACE)
    assert "hunter2" not in answer.text
    assert "/srv" not in answer.text
    [failed] = [line for line in lines if line["event"] == "request_failed"]
    assert failed["trace_id"] == TRACE
    assert failed["error"]["type"] == "RuntimeError"
    assert "raise_problem" in failed["error"]["stack"]
    assert "hunter2" not in json.dumps(failed)


def test_the_server_still_works_after_a_defect(client):
    client.ask("GET", "/v1/problems/bug")

    assert client.ask("GET", "/v1/me").status_code == 200


def test_a_caller_s_trace_goes_on_in_the_call_and_the_answer(client):
    answer = client.ask("GET", "/v1/me", headers={"traceparent": PARENT})

    assert answer.json()["trace"] == TRACE
    assert re.fullmatch(rf"00-{TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01", answer.headers["traceparent"])


@pytest.mark.parametrize(
    "given", [{}, {"traceparent": "nonsense"}, {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}]
)
def test_without_a_usable_trace_each_request_begins_one(client, given):
    first, second = (client.ask("GET", "/v1/me", headers=given).json()["trace"] for _ in range(2))

    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/healthz"), ("GET", "/v1/me"), ("GET", "/nothing"), ("POST", "/v1/plans")]
)
def test_every_answer_has_the_safe_headers(client, method, path):
    headers = client.http.request(method, path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert "traceparent" in headers
    assert "server" not in headers


def test_requests_are_counted_by_route_and_not_by_path(client):
    labels = {"method": "POST", "route": "/v1/plans/{plan_id}:execute", "status": "202"}
    before = number(client, "carapulse_http_requests_total", **labels)

    for plan in ("plan_1", "plan_2"):
        client.ask("POST", f"/v1/plans/{plan}:execute")

    assert number(client, "carapulse_http_requests_total", **labels) == before + 2
    assert (
        number(client, "carapulse_http_request_seconds_count", method="POST", route="/v1/plans/{plan_id}:execute") >= 2
    )
    assert "plan_1" not in client.http.get("/metrics").text


def test_strange_methods_and_paths_make_no_series_of_their_own(client):
    client.ask("BREW", "/v1/coffee-never-there")

    numbers = client.http.get("/metrics").text
    assert "BREW" not in numbers
    assert "never-there" not in numbers
    assert number(client, "carapulse_http_requests_total", method="other", route="unmatched") >= 1


def test_a_request_leaves_one_log_line_with_who_and_what(client):
    with logged() as lines:
        client.ask("GET", "/v1/me", "viewer")

    [line] = [line for line in lines if line["event"] == "request_handled"]
    assert (line["route"], line["status"], line["tenant"], line["actor"]) == ("/v1/me", 200, "acme", "ada")
    assert "eyJ" not in json.dumps(lines)


def test_the_process_says_that_it_lives_and_can_work(client):
    assert client.http.get("/healthz").json() == {"status": "ok"}
    assert client.http.get("/readyz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "checks", [{}, {"database": False, "policy": True}, RuntimeError("no route to db.internal")], ids=str
)
def test_a_process_that_can_not_work_or_did_not_ask_says_no_more_than_that(client, checks):
    client.application.checks = checks

    answer = client.http.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert "retry-after" in answer.headers


def test_no_more_threads_than_allowed_work_at_once_and_the_process_still_says_that_it_can(client):
    with ThreadPoolExecutor(6) as pool:
        busy = [pool.submit(client.ask, "GET", "/v1/slow") for _ in range(6)]
        try:
            time.sleep(0.3)
            begun = len(client.application.begun)
            ready = client.http.get("/readyz", timeout=2).status_code
        finally:
            client.application.release.set()

    assert (begun, ready) == (3, 200)
    assert [each.result().status_code for each in busy] == [200] * 6


def test_the_description_is_openapi_3_1_with_the_bearer_and_the_problems(client):
    document = client.http.get("/openapi.json").json()

    operation = document["paths"]["/v1/plans"]["post"]
    assert document["openapi"].startswith("3.1")
    assert operation["security"] == [{"HTTPBearer": []}]
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert operation["responses"]["4XX"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert "errors" in document["components"]["schemas"]["Problem"]["required"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
