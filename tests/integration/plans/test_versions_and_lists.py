"""Versions of plans, plans that are taken back or put away, and what lists of them are filtered by."""

from datetime import timedelta

import pytest
from tests.integration.plans.test_over_http import CONTEXT, PLAN


@pytest.fixture
def plan(ask):
    return ask("POST", "/v1/plans", PLAN).json()


def code(answer):
    return (answer.status_code, answer.json()["code"])


def listed(ask, query=""):
    return [each["plan_id"] for each in ask("GET", f"/v1/plans?{query}").json()["data"]]


def test_every_version_is_shown_as_it_was_judged(ask, plan):
    path = f"/v1/plans/{plan['plan_id']}/versions"
    revised = ask("POST", path, {**PLAN, "summary": "another"}).json()

    page = ask("GET", path, role="viewer").json()["data"]
    first = ask("GET", f"{path}/1", role="viewer")

    assert [(each["version"], each["current"], each["summary"]) for each in page] == [
        (2, True, "another"),
        (1, False, PLAN["summary"]),
    ]
    assert [each["digest"] for each in page] == [revised["digest"], plan["digest"]]
    assert (first.json()["digest"], first.json()["current"], bool(first.headers["etag"])) == (
        plan["digest"],
        False,
        True,
    )
    assert [step["id"] for step in first.json()["content"]["steps"]] == [step["id"] for step in plan["steps"]]


def test_versions_are_turned_by_pages(ask, plan):
    path = f"/v1/plans/{plan['plan_id']}/versions"
    for number in (2, 3):
        ask("POST", path, {**PLAN, "summary": f"number {number}"})

    first = ask("GET", f"{path}?limit=2")
    second = ask("GET", first.headers["link"].partition(">")[0][1:])

    assert [each["version"] for each in first.json()["data"] + second.json()["data"]] == [3, 2, 1]


@pytest.mark.parametrize(
    ("number", "answer"), [("2", (404, "plan-version-not-found")), ("0", (422, "invalid-request"))]
)
def test_a_version_that_is_not_there_is_said_not_to_be(ask, plan, number, answer):
    assert code(ask("GET", f"/v1/plans/{plan['plan_id']}/versions/{number}")) == answer


def test_a_plan_that_waits_is_taken_back_with_its_question(ask, plan):
    path = f"/v1/plans/{plan['plan_id']}"

    cancelled = ask("POST", f"{path}:cancel", {"reason": "not needed"})

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "closed")
    assert ask("GET", f"/v1/approvals?plan_id={plan['plan_id']}").json()["data"][0]["status"] == "revoked"
    told = [each["type"] for each in ask("GET", f"{path}/timeline").json()["data"]]
    assert told[-2:] == ["ApprovalRevoked", "PlanCancelled"]
    assert code(ask("POST", f"{path}:cancel", {"reason": "again"})) == (409, "plan-not-open")


def test_only_what_is_over_is_put_away_and_lists_leave_it_out(ask, plan):
    path, other = f"/v1/plans/{plan['plan_id']}", ask("POST", "/v1/plans", PLAN).json()["plan_id"]
    assert code(ask("POST", f"{path}:archive")) == (409, "plan-not-over")
    ask("POST", f"{path}:cancel", {"reason": "not needed"})

    archived = ask("POST", f"{path}:archive")
    again = ask("POST", f"{path}:archive")

    assert (archived.status_code, bool(archived.json()["archived_at"])) == (200, True)
    assert again.json() == archived.json()
    assert [each["type"] for each in ask("GET", f"{path}/timeline").json()["data"]].count("PlanArchived") == 1
    assert (listed(ask), listed(ask, "archived=true")) == ([other], [plan["plan_id"]])
    assert ask("GET", path).json()["archived_at"] == archived.json()["archived_at"]


def test_what_is_revised_is_in_the_lists_again(ask, plan):
    path = f"/v1/plans/{plan['plan_id']}"
    ask.decide(plan, status="denied")
    ask("POST", f"{path}:archive")

    revised = ask("POST", f"{path}/versions", PLAN)

    assert (revised.status_code, revised.json()["archived_at"]) == (201, None)
    assert listed(ask) == [plan["plan_id"]]


def test_plans_are_found_by_whose_and_where_and_when(ask, plan):
    ask.clock.move(timedelta(hours=1))
    elsewhere = {**PLAN, "context": {**CONTEXT, "environment": "staging", "service": "billing"}, "trigger": "alert"}
    other = ask("POST", "/v1/plans", elsewhere, by="grace").json()["plan_id"]
    between = (ask.clock.now() - timedelta(minutes=30)).isoformat().replace("+", "%2B")

    for query in ("requested_by=grace", "service=billing", "environment=staging", "trigger=alert"):
        assert listed(ask, query) == [other]
    assert listed(ask, f"created_after={between}") == [other]
    assert listed(ask, f"created_before={between}") == [plan["plan_id"]]
    assert listed(ask, f"created_before={between}&requested_by=grace") == []
    assert code(ask("GET", "/v1/plans?created_after=yesterday")) == (422, "invalid-request")


@pytest.mark.parametrize("verb", ["cancel", "archive"])
def test_who_may_not_is_forbidden_and_others_find_nothing(ask, plan, verb):
    path, body = f"/v1/plans/{plan['plan_id']}:{verb}", {"reason": "x"} if verb == "cancel" else None

    assert code(ask("POST", path, body, role="viewer")) == (403, "role-required")
    assert code(ask("POST", path, body, tenant="rival")) == (404, "plan-not-found")
    assert code(ask("GET", f"/v1/plans/{plan['plan_id']}/versions", tenant="rival")) == (404, "plan-not-found")
    assert code(ask("GET", f"/v1/plans/{plan['plan_id']}/versions/1", tenant="rival")) == (404, "plan-not-found")
