"""The contract grows; what would break a client is named, and is not written down by accident."""

import copy

import pytest
from docs.breaking import breaking_changes
from tests.builders.contract import CONTRACT

PLAN = "/v1/plans/{plan_id}"
PROBLEM = {"description": "x", "content": {"application/problem+json": {"schema": {}}}}


@pytest.fixture
def changed():
    """Return a copy of the contract, to be changed."""
    return copy.deepcopy(CONTRACT)


def schema(document, name):
    return document["components"]["schemas"][name]


def test_nothing_is_broken_by_nothing():
    assert breaking_changes(CONTRACT, copy.deepcopy(CONTRACT)) == []


def test_a_route_that_goes_breaks(changed):
    del changed["paths"][PLAN]

    assert f"GET {PLAN} is gone" in breaking_changes(CONTRACT, changed)


def test_more_routes_optional_fields_and_members_of_answers_break_nothing(changed):
    changed["paths"]["/v1/more"] = changed["paths"][PLAN]
    schema(changed, "CreatePlan")["properties"]["colour"] = {"type": "string"}
    schema(changed, "PlanView")["properties"]["colour"] = {"type": "string"}
    schema(changed, "PlanView")["required"].append("colour")
    changed["paths"][PLAN]["get"]["responses"]["418"] = PROBLEM

    assert breaking_changes(CONTRACT, changed) == []


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("CreatePlan", lambda s: s["properties"].pop("summary"), "POST /v1/plans/summary is gone"),
        ("CreatePlan", lambda s: s["required"].append("intent"), "POST /v1/plans/intent is needed now"),
        ("CreatePlan", lambda s: s["properties"]["summary"].update(type="integer"), "is integer, not string"),
        ("CreatePlan", lambda s: s["properties"]["summary"].update(maxLength=3), "has a narrower maxLength"),
        ("PlanView", lambda s: s["properties"].pop("digest"), f"GET {PLAN} 200/digest is gone"),
        ("PlanView", lambda s: s["required"].remove("digest"), f"GET {PLAN} 200/digest may be absent now"),
        ("PlanView", lambda s: s["properties"]["version"].update(type="string"), "200/version is string, not integer"),
    ],
)
def test_what_a_client_stands_on_must_stay(changed, name, change, said):
    change(schema(changed, name))

    assert any(said in each for each in breaking_changes(CONTRACT, changed))


def test_a_parameter_that_is_needed_from_now_on_breaks(changed):
    changed["paths"][PLAN]["get"]["parameters"].append({"name": "why", "in": "query", "required": True, "schema": {}})

    assert breaking_changes(CONTRACT, changed) == [f"GET {PLAN} needs the query parameter why now"]


def test_an_answer_that_is_not_given_any_more_breaks(changed):
    answers = changed["paths"][PLAN]["get"]["responses"]
    answers["206"] = answers.pop("200")

    assert breaking_changes(CONTRACT, changed) == [f"GET {PLAN} answers no 200 any more"]


def test_an_enumeration_that_takes_less_breaks(changed):
    (kept,) = [each for each in changed["paths"]["/v1/plans"]["get"]["parameters"] if each["name"] == "status"]
    statuses = schema(changed, "PlanStatus")["enum"]
    statuses.remove("closed")

    assert kept
    assert any("may not be closed any more" in each for each in breaking_changes(CONTRACT, changed))


def described(has):
    """Return each operation of the contract that has what is asked for, with its answers by status."""
    operations = [(method, each) for path in CONTRACT["paths"].values() for method, each in path.items()]
    found = [each["responses"] for method, each in operations if has(method, each)]
    assert found
    return found


def takes(name):
    return lambda _, operation: name in {each["name"] for each in operation.get("parameters", [])}


def gives_etag(method, operation):
    return method == "get" and "ETag" in operation["responses"]["200"].get("headers", {})


def test_what_a_caller_has_already_may_be_answered_with_304():
    unchanged = [answers["304"] for answers in described(gives_etag)]
    assert all("ETag" in answer["headers"] and "content" not in answer for answer in unchanged)
    assert described(gives_etag) == described(takes("If-None-Match"))


@pytest.mark.parametrize(
    ("parameter", "header"),
    [("cursor", "Link"), ("Prefer", "Preference-Applied"), ("Idempotency-Key", "Idempotent-Replayed")],
)
def test_what_a_parameter_brings_about_is_named_among_the_headers(parameter, header):
    for answers in described(takes(parameter)):
        good = [answer for status, answer in answers.items() if status in {"200", "201", "202", "204"}]
        assert good
        assert all(header in answer["headers"] for answer in good)
    assert header in CONTRACT["components"]["headers"]


def test_what_every_answer_has_is_named_among_its_headers():
    for path, operations in CONTRACT["paths"].items():
        wanted = {"traceparent", *(("RateLimit", "RateLimit-Policy") if path.startswith("/v1/") else ())}
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                assert wanted | ({"Retry-After"} if status in {"4XX", "5XX"} else set()) <= answer["headers"].keys()
