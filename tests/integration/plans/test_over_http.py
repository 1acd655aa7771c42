"""Plans, workflows and approvals through the whole HTTP stack."""

from typing import Any

import pytest
from tests.builders.plans import GLANCE, SWITCH

DARK = {**SWITCH, "input": {"lamp": "hall", "on": False}}
CONTEXT: dict[str, Any] = {"environment": "dev", "namespace": "shop", "service": "checkout"}
PLAN: dict[str, Any] = {
    "summary": "Switch the hall's lamp off",
    "trigger": "manual",
    "context": CONTEXT,
    "steps": [DARK, GLANCE],
}
SCALE = {"context": CONTEXT, "input": {"resource": "deployment/checkout", "replicas": 50}}


def test_a_plan_is_made_and_shown(ask):
    made = ask("POST", "/v1/plans", PLAN)

    assert made.status_code == 201
    plan = made.json()
    assert (plan["version"], plan["status"], plan["risk_level"]) == (1, "awaiting_approval", "high")
    assert (plan["decision"], plan["approvals_required"]) == ("require_approval", 1)
    assert plan["digest"].startswith("sha256:")
    assert [step["stage"] for step in plan["steps"]] == ["act", "verify"]
    assert ask("GET", f"/v1/plans/{plan['plan_id']}", role="viewer").json() == plan


def test_every_fault_is_answered_with_a_pointer_into_the_body(ask):
    faulty = {**PLAN, "steps": [{**SWITCH, "tool": "lamp"}, {**SWITCH, "input": {}}], "speed": "fast"}
    refused = ask("POST", "/v1/plans", faulty)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/speed"]

    del faulty["speed"]
    refused = ask("POST", "/v1/plans", faulty)
    assert refused.status_code == 422
    assert refused.json()["code"] == "plan-invalid"
    assert {(error["pointer"], error["code"]) for error in refused.json()["errors"]} == {
        ("/steps", "no-verify"),
        ("/steps/0/tool", "unknown-tool"),
        ("/steps/1/input/on", "missing"),
    }


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"steps": [{**GLANCE, "expect": [{"path": "a[", "op": "eq", "value": 1}]}]}, "/steps/0/expect/0"),
        ({"steps": [{**GLANCE, "undo": {"tool": "Bad Name", "action": "x"}}]}, "/steps/0/undo"),
        ({"constraints": {"max_targets": -1}}, "/constraints/max_targets"),
        (
            {"constraints": {"maintenance_window": {"start": "9", "end": "10:00"}}},
            "/constraints/maintenance_window/start",
        ),
        ({"context": {"environment": ""}}, "/context/environment"),
        ({"context": {**CONTEXT, "tenant_id": "rival"}}, "/context/tenant_id"),
        ({"trigger": "magic"}, "/trigger"),
        ({"steps": None}, ""),
    ],
)
def test_what_makes_no_sense_is_unprocessable(ask, change, pointer):
    refused = ask("POST", "/v1/plans", {**PLAN, **change})

    assert refused.status_code == 422
    assert any(error["pointer"].startswith(pointer) for error in refused.json()["errors"])


def test_what_policy_denies_is_forbidden_with_its_reasons(ask):
    refused = ask("POST", "/v1/plans", {**PLAN, "context": {**CONTEXT, "environment": "nowhere"}})

    assert refused.status_code == 403
    assert refused.json()["code"] == "policy-denied"
    assert refused.json()["reasons"]
    assert ask("GET", "/v1/plans").json() == {"data": [], "next_cursor": None}


def test_who_may_not_is_forbidden(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    assert ask("POST", "/v1/plans", PLAN, role="viewer").status_code == 403
    assert ask.decide(plan, role="viewer").status_code == 403
    assert ask.decide(plan, role="operator").status_code == 403
    assert ask("POST", f"/v1/plans/{plan['plan_id']}:close", {"reason": "x"}, role="viewer").status_code == 403


def test_another_tenants_plan_is_not_found(ask):
    plan_id = ask("POST", "/v1/plans", PLAN).json()["plan_id"]

    for path in ("", "/diff", "/risk", "/timeline"):
        assert ask("GET", f"/v1/plans/{plan_id}{path}", tenant="rival").status_code == 404
    assert ask("GET", "/v1/plans", tenant="rival").json()["data"] == []


def test_the_requester_is_refused_and_somebody_else_approves(ask):
    plan = ask("POST", "/v1/plans", PLAN, role="sre").json()

    own = ask.decide(plan, by="ada", role="sre")
    assert (own.status_code, own.json()["code"]) == (403, "self-approval")
    decided = ask.decide(plan)
    assert decided.status_code == 201
    assert decided.json()["status"] == "approved"
    assert decided.json()["answers"][0]["approver"] == "bob"
    assert ask("GET", f"/v1/plans/{plan['plan_id']}").json()["status"] == "approved"


def test_a_stale_digest_a_second_answer_and_a_closed_question_conflict(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    assert ask.decide(plan, digest="sha256:00").json()["code"] == "plan-changed"
    assert ask.decide(plan).status_code == 201
    again = ask.decide(plan, by="carol")
    assert (again.status_code, again.json()["code"]) == (409, "approval-closed")
    assert ask.decide({**plan, "plan_id": "plan_0"}).status_code == 404


def test_the_queue_of_approvals_is_listed(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    waiting = ask("GET", "/v1/approvals?status=pending", by="bob", role="approver").json()["data"]
    assert [(each["plan_id"], each["summary"]) for each in waiting] == [(plan["plan_id"], PLAN["summary"])]
    ask.decide(plan)
    assert ask("GET", "/v1/approvals?status=pending").json()["data"] == []


def test_every_plan_can_be_reached_page_by_page(ask):
    made = [ask("POST", "/v1/plans", PLAN).json()["plan_id"] for _ in range(5)]

    seen, cursor = [], ""
    while cursor is not None:
        page = ask("GET", f"/v1/plans?limit=2{cursor}").json()
        seen += [plan["plan_id"] for plan in page["data"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == sorted(made, reverse=True)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=zzz", "status=fine", "colour=red", "limit=2&limit=3"]
)
def test_a_list_that_makes_no_sense_is_unprocessable(ask, query):
    assert ask("GET", f"/v1/plans?{query}").status_code == 422


def test_diff_risk_and_timeline_are_shown(ask):
    plan_id = ask("POST", "/v1/plans", PLAN).json()["plan_id"]

    assert [c["effect"] for c in ask("GET", f"/v1/plans/{plan_id}/diff").json()["changes"]] == ["write"]
    assert ask("GET", f"/v1/plans/{plan_id}/diff?against=7").status_code == 404
    assert ask("GET", f"/v1/plans/{plan_id}/risk").json()["tier"] == "break_glass"
    told = ask("GET", f"/v1/plans/{plan_id}/timeline").json()["data"]
    assert [each["type"] for each in told] == ["PlanDrafted", "PolicyDecided", "ApprovalRequested"]


def test_workflows_are_listed_and_one_is_shown(ask):
    listed = ask("GET", "/v1/workflows", role="viewer").json()["data"]

    assert len(listed) == 5
    assert ask("GET", "/v1/workflows/scale_service").json() in listed
    assert ask("GET", "/v1/workflows/format_disk").status_code == 404


def test_starting_a_workflow_makes_a_plan_that_waits(ask):
    started = ask("POST", "/v1/workflows/scale_service:start", SCALE)

    assert started.status_code == 201
    plan = started.json()
    assert (plan["trigger"], plan["status"], plan["risk_level"]) == ("workflow", "awaiting_approval", "medium")
    assert plan["summary"] == "Scale deployment/checkout to 50"
    assert plan["workflow"]["input"] == SCALE["input"]
    assert plan["execution_id"] is None


def test_the_same_plan_can_be_made_by_naming_the_workflow(ask):
    body = {"summary": "Scale", "context": CONTEXT, "workflow": {"name": "scale_service", "input": SCALE["input"]}}
    plan = ask("POST", "/v1/plans", body).json()
    started = ask("POST", "/v1/workflows/scale_service:start", SCALE).json()

    assert plan["steps"] == started["steps"]


def test_a_workflow_says_where_its_input_is_wrong_in_the_body_that_was_sent(ask):
    body = {**SCALE, "input": {"resource": "deployment/checkout", "replicas": -1}}

    started = ask("POST", "/v1/workflows/scale_service:start", body)
    assert started.status_code == 422
    assert [error["pointer"] for error in started.json()["errors"]] == ["/input/replicas"]
    named = {"summary": "Scale", "context": CONTEXT, "workflow": {"name": "scale_service", "input": body["input"]}}
    assert [e["pointer"] for e in ask("POST", "/v1/plans", named).json()["errors"]] == ["/workflow/input/replicas"]
    assert ask("POST", "/v1/workflows/format_disk:start", SCALE).status_code == 404


def test_a_viewer_starts_nothing(ask):
    assert ask("POST", "/v1/workflows/scale_service:start", SCALE, role="viewer").status_code == 403


def test_a_plan_is_closed_and_its_question_withdrawn(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    closed = ask("POST", f"/v1/plans/{plan['plan_id']}:close", {"reason": "resolved"})
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    assert ask.decide(plan).json()["code"] == "approval-closed"


def test_a_plan_is_revised(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    revised = ask("POST", f"/v1/plans/{plan['plan_id']}/versions", {**PLAN, "summary": "Again"})
    assert (revised.status_code, revised.json()["version"]) == (201, 2)
    assert ask("GET", f"/v1/plans/{plan['plan_id']}/diff?against=1").json()["changed_fields"] == ["summary"]


def test_an_approval_is_revoked_over_http(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()
    ask.decide(plan)

    revoked = ask("POST", f"/v1/plans/{plan['plan_id']}:revoke", by="carol", role="approver")
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert ask("GET", f"/v1/plans/{plan['plan_id']}").json()["status"] == "rejected"
