"""Prometheus and Tempo: what is asked of them, as they document it, and what is made of their answers."""

import math

import pytest
from tests.builders.asking import asked
from tests.builders.tools import (
    Reply,
)

from carapulse.kernel.errors import Unavailable
from carapulse.tools.model import OutcomeKind


def vector(*values: str) -> Reply:
    result = [{"metric": {"n": str(n)}, "value": [1700000000.0, value]} for n, value in enumerate(values)]
    return Reply({"status": "success", "data": {"resultType": "vector", "result": result}})


QUERY = {("POST", "/api/v1/query"): vector("0.5", "7")}


def test_a_query_is_a_form_with_the_token_of_the_connection():
    outcome, exchanges = asked(
        "prometheus.query", {"query": 'sum(rate(x{a="b"}[5m])) > 1 & 2', "time": "2026-01-01T00:00:00Z"}, QUERY
    )

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert (exchanges[0].method, exchanges[0].path) == ("POST", "/api/v1/query")
    assert exchanges[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert exchanges[0].headers["authorization"] == "Bearer s3cret-token"
    assert exchanges[0].form == {"query": 'sum(rate(x{a="b"}[5m])) > 1 & 2', "time": "2026-01-01T00:00:00Z"}


def test_a_base_url_may_have_a_path():
    _, exchanges = asked(
        "prometheus.query", {"query": "up"}, {("POST", "/prom/api/v1/query"): vector("1")}, under="/prom/"
    )

    assert exchanges[0].path == "/prom/api/v1/query"


@pytest.mark.parametrize(
    ("reply", "value", "count"),
    [
        (vector("0.5", "7"), 0.5, 2),
        (vector("0"), 0, 1),
        (vector(), None, 0),
        (vector("NaN"), None, 1),
        (vector("+Inf"), None, 1),
        (Reply({"status": "success", "data": {"resultType": "scalar", "result": [1700000000, "4"]}}), 4, 2),
        (Reply({"status": "success", "data": {"resultType": "string", "result": [1700000000, "x"]}}), None, 2),
    ],
)
def test_the_value_of_a_query_is_a_number_or_null(reply: Reply, value: float | None, count: int):
    outcome, _ = asked("prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): reply})

    assert (outcome.output["value"], outcome.output["count"]) == (value, count)
    assert outcome.output["value"] is None or math.isfinite(outcome.output["value"])


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_an_error_of_the_server_is_a_failure_whatever_it_says(status: int):
    outcome, _ = asked(
        "prometheus.query",
        {"query": "x"},
        {("POST", "/api/v1/query"): Reply({"status": "success", "data": {}}, status)},
    )

    assert (outcome.kind, outcome.http_status, outcome.output) == (OutcomeKind.FAILED, status, None)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_from_a_busy_server_may_be_tried_again(status: int):
    with pytest.raises(Unavailable):
        asked("prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): Reply(None, status)})


def test_an_answer_that_says_error_is_a_failure():
    outcome, _ = asked(
        "prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): Reply({"status": "error", "error": "bad"})}
    )

    assert outcome.kind is OutcomeKind.FAILED
    assert "status" in outcome.detail


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"status": "succ', b"[NaN", b"null"])
def test_an_answer_that_is_no_json_is_a_failure(body: bytes):
    outcome, _ = asked("prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): Reply(body)})

    assert (outcome.kind, outcome.output) == (OutcomeKind.FAILED, None)


def test_an_answer_that_is_cut_off_is_a_failure():
    outcome, _ = asked(
        "prometheus.query",
        {"query": "x"},
        {("POST", "/api/v1/query"): Reply(b'{"status":"success","data":"' + b"x" * 1_100_000 + b'"}')},
    )

    assert (outcome.kind, outcome.truncated, outcome.output) == (OutcomeKind.FAILED, True, None)


def test_a_range_of_metrics_is_asked_for():
    value = {"query": "up", "start": "1700000000", "end": "1700003600", "step": "60s"}
    outcome, exchanges = asked(
        "prometheus.query_range",
        value,
        {
            ("POST", "/api/v1/query_range"): Reply(
                {
                    "status": "success",
                    "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "1"]]}]},
                }
            )
        },
    )

    assert (outcome.kind, exchanges[0].form, outcome.output["count"]) == (OutcomeKind.SUCCEEDED, value, 1)


def test_rules_and_what_fires_are_listed():
    groups = [
        {
            "name": "g",
            "rules": [
                {"name": "Down", "state": "firing", "type": "alerting"},
                {"name": "Slow", "state": "inactive", "type": "alerting"},
            ],
        }
    ]
    outcome, exchanges = asked(
        "prometheus.rules",
        {"type": "alert", "names": ["Down"]},
        {("GET", "/api/v1/rules"): Reply({"status": "success", "data": {"groups": groups}})},
    )

    assert (exchanges[0].query, exchanges[0].body) == ({"type": "alert", "rule_name[]": "Down"}, b"")
    assert outcome.output["firing"] == ["Down"]


def test_exemplars_are_asked_for_by_form():
    value = {"query": "h_bucket", "start": "1", "end": "2"}
    outcome, exchanges = asked(
        "prometheus.query_exemplars",
        value,
        {("POST", "/api/v1/query_exemplars"): Reply({"status": "success", "data": []})},
    )

    assert (exchanges[0].form, outcome.output["series"]) == (value, [])


@pytest.mark.parametrize("action", ["tempo.traceql", "tempo.query"])
def test_traces_are_searched_with_get_and_q(action: str):
    query = '{ resource.service.name = "checkout" && status = error }'
    outcome, exchanges = asked(
        action,
        {"query": query, "limit": 5, "start": 1700000000, "end": 1700000600},
        {("GET", "/api/search"): Reply({"traces": [{"traceID": "a1"}], "metrics": {"inspectedTraces": 3}})},
    )

    assert exchanges[0].query == {"q": query, "limit": "5", "start": "1700000000", "end": "1700000600"}
    assert exchanges[0].headers["accept"] == "application/json"
    assert (outcome.output["count"], outcome.output["traces"][0]["traceID"]) == (1, "a1")


def test_a_search_without_traces_counts_none():
    outcome, _ = asked("tempo.traceql", {"query": "{}"}, {("GET", "/api/search"): Reply({"metrics": {}})})

    assert (outcome.kind, outcome.output["count"]) == (OutcomeKind.SUCCEEDED, 0)


def test_a_trace_is_read_by_its_id():
    outcome, exchanges = asked(
        "tempo.trace_by_id",
        {"trace_id": "2f3e0cee77ae5dc9"},
        {("GET", "/api/v2/traces/2f3e0cee77ae5dc9"): Reply({"trace": {"resourceSpans": []}})},
    )

    assert (outcome.kind, exchanges[0].path) == (OutcomeKind.SUCCEEDED, "/api/v2/traces/2f3e0cee77ae5dc9")
