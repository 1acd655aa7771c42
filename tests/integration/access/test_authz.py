"""Who somebody is, what they may do, and every decision about a plan."""

from datetime import timedelta

import pytest

from carapulse.kernel.call import Scope

DEV = Scope(environments=("dev",))


def check(site, action, *, somebody=None, plan_id=None, context=None, **whose):
    body = {"action": action, "somebody": somebody, "plan_id": plan_id, "context": context}
    given = {name: value for name, value in body.items() if value is not None}
    answer = site.ask("POST", "/v1/authz:check", given, **whose)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_anybody_who_proved_it_is_told_who_they_are(site):
    token = site.token("ada", ["viewer", "auditor"], scope=DEV)

    said = site.ask("GET", "/v1/me", key=token).json()

    assert (said["actor"], said["kind"], said["tenant"]) == ("ada", "person", "acme")
    assert said["roles"] == ["auditor", "viewer"]
    assert said["permissions"] == sorted(said["permissions"])
    assert {"audit:read", "plan:read"} <= set(said["permissions"])
    assert said["scope"] == {"environments": ["dev"], "services": None, "clusters": None}
    assert said["proof"]["kind"] == "token"
    assert said["proof"]["id"].startswith("token_")
    assert said["expires_at"].startswith((site.clock.now() + timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M"))


def test_somebody_without_a_role_is_told_so(site):
    answer = site.ask("GET", "/v1/me", role=())

    assert (answer.status_code, answer.json()["permissions"]) == (200, [])


@pytest.mark.parametrize(
    ("role", "kind", "scope", "permission", "refusing"),
    [
        ("operator", "person", Scope(), "plan:execute", None),
        ("viewer", "person", Scope(), "plan:execute", "role"),
        ("approver", "service", Scope(), "approval:decide", "person"),
        ("admin", "person", DEV, "source:read", "scope"),
    ],
)
def test_each_stage_says_what_it_thinks(site, role, kind, scope, permission, refusing):
    said = check(site, permission, role=role, kind=kind, scope=scope)

    assert said["allowed"] is (refusing is None)
    assert {name for name in ("role", "person", "scope") if not said[name]["allowed"]} == {refusing} - {None}
    assert "operator" in check(site, "plan:execute", role="viewer")["role"]["roles_that_allow"]


def test_a_place_outside_of_the_scope_is_outside(site):
    assert check(site, "plan:create", context={"environment": "dev"}, role="operator", scope=DEV)["allowed"]
    said = check(site, "plan:create", context={"environment": "prod"}, role="operator", scope=DEV)

    assert (said["allowed"], said["scope"]["allowed"]) == (False, False)


def test_policy_is_asked_about_a_plan_that_is_there_and_nothing_changes(site):
    plan = site.planned(on=False).json()
    before = site.events("PolicyDecided", plan_id=plan["plan_id"])

    waits = check(site, "plan:execute", plan_id=plan["plan_id"], by="ada", role="operator")
    own = check(site, "approval.decide", plan_id=plan["plan_id"], by="ada", role="sre")
    others = check(site, "approval.decide", plan_id=plan["plan_id"], by="bob", role="approver")

    assert (waits["allowed"], waits["policy"]["outcome"]) == (False, "require_approval")
    assert (waits["policy"]["approvals_required"], waits["policy"]["approvals_given"]) == (1, 0)
    assert waits["policy"]["policy_digest"] == before[0]["body"]["policy_digest"]
    assert (own["allowed"], own["policy"]["reasons"][0]["guard"]) == (False, "approver_role")
    assert others["allowed"]
    assert site.events("PolicyDecided", plan_id=plan["plan_id"]) == before


def test_what_is_said_is_what_happens(site):
    plan = site.planned(on=False).json()

    for by, role in (("ada", "sre"), ("bob", "viewer"), ("bob", "approver")):
        said = check(site, "approval:decide", plan_id=plan["plan_id"], by=by, role=role)["allowed"]
        assert (site.answered(plan, by=by, role=role).status_code == 201) is said
    assert check(site, "plan:execute", plan_id=plan["plan_id"], role="operator")["allowed"]


def test_only_those_who_may_ask_about_others(site):
    somebody = {"actor": "eve", "kind": "agent", "roles": ["agent"], "scope": {"services": ["checkout"]}}
    plan = site.planned(service="billing").json()["plan_id"]

    refused = site.ask("POST", "/v1/authz:check", {"action": "plan:read", "somebody": somebody}, role="sre")
    said = check(site, "plan:create", somebody=somebody, plan_id=plan, role="security")

    assert (refused.status_code, refused.json()["permission"]) == (403, "authz:check-others")
    assert (said["actor"], said["allowed"], said["role"]["allowed"]) == ("eve", False, True)
    assert not said["scope"]["allowed"]
    assert "within_scope" in {reason["guard"] for reason in said["policy"]["reasons"]}


@pytest.mark.parametrize(
    "body",
    [
        {"action": "plan:destroy"},
        {"action": "plan"},
        {"action": "plan:read", "somebody": {"actor": "eve", "kind": "agent", "roles": ["root"]}},
        {"action": "plan:read", "who": "me"},
        {},
    ],
)
def test_a_question_that_makes_no_sense_is_invalid(site, body):
    assert site.ask("POST", "/v1/authz:check", body).status_code == 422


def test_every_decision_about_a_plan_is_listed(site):
    plan = site.planned(on=False, by="ada").json()
    site.answered(plan, by="ada", role="sre")
    site.answered(plan, by="bob", role="approver")
    site.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", by="ada", role="operator")

    listed = site.ask("GET", f"/v1/plans/{plan['plan_id']}/decisions", role="viewer").json()["data"]

    assert [(each["action"], each["actor"], each["outcome"]) for each in listed] == [
        ("plan.create", "ada", "require_approval"),
        ("approval.decide", "ada", "deny"),
        ("approval.decide", "bob", "allow"),
        ("plan.execute", "ada", "require_approval"),
    ]
    assert all(each["input_digest"].startswith("sha256:") and each["policy_digest"] for each in listed)
    assert listed[0]["decision_id"] == plan["decision_id"]
    assert listed[1]["reasons"][0]["guard"] == "approver_role"


def test_whoever_was_handed_an_answer_is_told_that_they_may_give_it(site):
    plan = site.planned(on=False, by="ada").json()
    (approval,) = site.ask("GET", f"/v1/approvals?plan_id={plan['plan_id']}", by="root").json()["data"]
    path, may = f"/v1/approvals/{approval['id']}:delegate", []
    asked = {"plan_id": plan["plan_id"], "by": "vic", "role": "viewer"}

    may.append(check(site, "approval:decide", **asked)["allowed"])
    assert site.ask("POST", path, {"to": "vic"}, by="carol", role="approver").status_code == 200
    may.append(check(site, "approval:decide", **asked)["allowed"])
    elsewhere = site.planned(on=False, by="ada").json()
    may.append(check(site, "approval:decide", **{**asked, "plan_id": elsewhere["plan_id"]})["allowed"])

    assert may == [False, True, False]
    assert site.answered(plan, by="vic", role="viewer").status_code == 201
