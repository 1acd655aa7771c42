"""Whoever asks for a change does not also agree to it: by no route, and through no key of theirs."""

import pytest


@pytest.fixture
def plan(site):
    return site.planned(on=False, by="ada", role="sre").json()


def is_waiting(site, plan):
    return site.ask("GET", f"/v1/plans/{plan['plan_id']}").json()["status"] == "awaiting_approval"


def test_whoever_asked_does_not_approve_whatever_their_role(site, plan):
    for role in ("sre", "admin", "approver", ("operator", "approver", "security")):
        answer = site.answered(plan, by="ada", role=role)
        assert (answer.status_code, answer.json()["code"]) == (403, "self-approval")

    executed = site.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", by="ada", role="admin")
    assert (executed.status_code, executed.json()["code"]) == (403, "approval-required")
    assert is_waiting(site, plan)


def test_a_revision_makes_its_author_the_one_who_asked(site, plan):
    body = {key: plan[key] for key in ("summary", "context")}
    body["steps"] = [{key: step[key] for key in ("stage", "tool", "action", "input")} for step in plan["steps"]]
    revised = site.ask("POST", f"/v1/plans/{plan['plan_id']}/versions", body, by="bob", role="sre").json()

    assert site.answered(revised, by="bob", role="sre").status_code == 403
    assert site.answered(plan, by="carol", role="approver").status_code == 409
    assert site.answered(revised, by="carol", role="approver").status_code == 201


@pytest.mark.parametrize("kind", ["service", "agent"])
def test_no_machine_approves_with_a_token(site, plan, kind):
    answer = site.answered(plan, by="robot", role="approver", kind=kind)

    assert (answer.status_code, answer.json()["code"]) == (403, "person-required")
    assert is_waiting(site, plan)


@pytest.mark.parametrize("kind", ["service", "agent"])
@pytest.mark.parametrize("route", ["approve", "revoke"])
def test_nobody_answers_through_a_key(site, plan, kind, route):
    _, text = site.made(name="stamp", kind=kind, roles=("approver", "sre", "admin"))
    path = f"/v1/plans/{plan['plan_id']}:revoke"

    answer = site.answered(plan, key=text) if route == "approve" else site.ask("POST", path, key=text)

    assert (answer.status_code, answer.json()["code"]) == (403, "person-required")
    assert is_waiting(site, plan)


def test_whoever_made_a_key_does_not_approve_what_it_asked(site):
    _, text = site.made(name="puppet", roles=("operator",))
    plan = site.planned(on=False, key=text).json()

    own = site.answered(plan, by="ada", role="admin")
    another = site.answered(plan, by="bob", role="approver")

    assert (own.status_code, own.json()["code"]) == (403, "self-approval")
    assert another.status_code == 201


def test_what_a_key_revised_is_not_its_maker_s_to_approve(site):
    _, text = site.made(name="undoer", roles=("operator",))
    plan = site.planned(on=False, key=text).json()
    body = {key: plan[key] for key in ("summary", "context")}
    body["steps"] = [{key: step[key] for key in ("stage", "tool", "action", "input")} for step in plan["steps"]]

    revised = site.ask("POST", f"/v1/plans/{plan['plan_id']}/versions", body, key=text).json()

    assert site.answered(revised, by="ada", role="sre").status_code == 403
