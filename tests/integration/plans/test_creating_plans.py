"""A request becomes a judged plan, whole or not at all."""

from dataclasses import replace

import pytest
from tests.builders.application import Chosen
from tests.builders.plans import GLANCE, LOOK, SWITCH, a_call, a_request

from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import list_approvals
from carapulse.audit.model import EventFilter
from carapulse.kernel.errors import Unavailable
from carapulse.plans.errors import PlanBusy, PlanInvalid, PlanNotFound
from carapulse.plans.model import PlanStatus
from carapulse.plans.ports import PlanFilter
from carapulse.plans.requests import ClosePlan, Origin
from carapulse.plans.usecases import (
    close_plan,
    create_plan,
    diff_plan,
    get_plan,
    list_plans,
    read_timeline,
    risk_plan,
)
from carapulse.policy.errors import PolicyDenied, PolicyUnavailable

DARK = {**SWITCH, "input": {"lamp": "hall", "on": False}}
PROD = {"context": {"environment": "prod", "namespace": "shop"}}


class NoAnswer:
    digest = "sha256:00"

    def decide(self, _document):
        raise Unavailable("gone")


def types(app, stream):
    return [event.type for event in app.happened(stream)]


def pending(app):
    return list_approvals(ApprovalFilter(status="pending"), a_call(), app).data


def test_a_low_risk_in_development_needs_nobody(app):
    plan = create_plan(a_request(), a_call(), app)

    assert (plan.status, plan.decision, plan.risk_level, plan.approvals_required) == ("approved", "allow", "low", 0)
    assert types(app, plan.plan_id) == ["PlanDrafted", "PolicyDecided"]
    assert pending(app) == ()


def test_a_high_risk_waits_for_somebody_else(app):
    plan = create_plan(a_request(DARK, GLANCE), a_call(), app)

    assert (plan.status, plan.decision, plan.risk_level) == ("awaiting_approval", "require_approval", "high")
    assert plan.reasons
    assert types(app, plan.plan_id) == ["PlanDrafted", "PolicyDecided", "ApprovalRequested"]
    (approval,) = pending(app)
    assert (approval.plan_id, approval.digest, approval.required) == (plan.plan_id, plan.digest, 1)


def test_production_wants_more(app):
    low = create_plan(a_request(**PROD), a_call(), app)
    high = create_plan(a_request(DARK, GLANCE, **PROD), a_call(), app)

    assert (low.approvals_required, high.approvals_required) == (1, 2)


def test_a_trigger_that_cannot_be_trusted_is_always_seen_by_people(app):
    plan = create_plan(a_request(trigger="alert"), a_call(), app, Origin(trusted=False, meta={"source": "src_1"}))

    assert (plan.status, plan.trusted, plan.meta) == ("awaiting_approval", False, {"source": "src_1"})


@pytest.mark.parametrize(
    ("facts", "roles"),
    [({}, ("viewer",)), ({}, ()), ({"context": {"environment": "nowhere"}}, ("operator",))],
)
def test_what_policy_denies_is_not_kept_but_is_not_forgotten(app, facts, roles):
    with pytest.raises(PolicyDenied) as caught:
        create_plan(a_request(**facts), a_call(roles=roles), app)

    assert caught.value.facts["reasons"]
    assert list_plans(PlanFilter(), a_call(), app).data == ()
    with app.begin(a_call()) as work:
        (stream,) = {event.stream for event in work.evidence.page(EventFilter()).data}
    assert types(app, stream) == ["PlanRefused", "PolicyDecided"]
    with pytest.raises(PlanNotFound):
        get_plan(stream, a_call(), app)


def test_too_many_targets_in_production_are_denied_whatever_the_requester_allows(app):
    lamps = [f"lamp-{number}" for number in range(11)]
    step = {**SWITCH, "input": {"lamps": lamps, "on": True}}

    with pytest.raises(PolicyDenied):
        create_plan(a_request(step, GLANCE, **PROD, constraints={"max_targets": 100}), a_call(), app)


def test_what_nobody_can_count_needs_approval(app):
    plan = create_plan(a_request({**SWITCH, "input": {"lamp": "*", "on": True}}, GLANCE), a_call(), app)

    assert (plan.decision, plan.blast_radius) == ("require_approval", "account")


def test_a_limit_on_what_nobody_can_count_is_denied(app):
    step = {**SWITCH, "input": {"lamp": "*", "on": True}}

    with pytest.raises(PolicyDenied):
        create_plan(a_request(step, GLANCE, constraints={"max_targets": 5}), a_call(), app)


def test_an_environment_outside_the_constraints_is_denied(app):
    with pytest.raises(PolicyDenied):
        create_plan(a_request(constraints={"allowed_environments": ["staging"]}), a_call(), app)


def test_without_an_answer_from_policy_nothing_is_kept(app):
    with pytest.raises(PolicyUnavailable):
        create_plan(a_request(), a_call(), replace(app, policy=NoAnswer()))

    assert list_plans(PlanFilter(), a_call(), app).data == ()


def test_a_faulty_request_leaves_nothing(app):
    with pytest.raises(PlanInvalid):
        create_plan(a_request(SWITCH), a_call(), app)

    with app.begin(a_call()) as work:
        assert work.evidence.page(EventFilter()).data == ()


def test_a_question_that_cannot_be_asked_leaves_no_plan(app):
    class Broken:
        def request(self, _plan, _work, _at):
            raise Unavailable("no ink")

    with pytest.raises(Unavailable):
        create_plan(a_request(DARK, GLANCE), a_call(), replace(app, envelopes=Broken()))

    assert list_plans(PlanFilter(), a_call(), app).data == ()
    assert pending(app) == ()


def test_a_plan_of_another_tenant_does_not_exist(app):
    plan = create_plan(a_request(), a_call(), app)
    rival = a_call("eve", tenant="rival", roles=("admin",))

    for ask in (get_plan, risk_plan, read_timeline):
        with pytest.raises(PlanNotFound):
            ask(plan.plan_id, rival, app)
    with pytest.raises(PlanNotFound):
        diff_plan(plan.plan_id, None, rival, app)
    with pytest.raises(PlanNotFound):
        close_plan(plan.plan_id, ClosePlan(reason="mine"), rival, app)
    assert list_plans(PlanFilter(), rival, app).data == ()


def test_a_plan_reads_back_as_it_was_answered(app):
    plan = create_plan(a_request(LOOK, DARK, GLANCE), a_call(), app)

    assert get_plan(plan.plan_id, a_call(), app) == plan


def test_a_diff_says_what_each_step_would_change(app):
    plan = create_plan(a_request(LOOK, DARK, GLANCE), a_call(), app)

    diff = diff_plan(plan.plan_id, None, a_call(), app)
    (change,) = diff.changes
    assert (change.tool, change.action, change.effect) == ("lamps", "switch", "write")
    assert (change.input, change.undo, change.targets) == (DARK["input"], "automatic", ("lamps:hall",))


def test_a_diff_with_itself_shows_that_nothing_differs(app):
    plan = create_plan(a_request(DARK, GLANCE), a_call(), app)

    diff = diff_plan(plan.plan_id, 1, a_call(), app)
    assert [change.in_other for change in diff.changes] == ["same", "same"]
    assert (diff.removed, diff.changed_fields) == ((), ())


def test_risk_is_explained_step_by_step(app):
    plan = create_plan(a_request(DARK, GLANCE), a_call(), app)

    risk = risk_plan(plan.plan_id, a_call(), app)
    assert (risk.risk_level, risk.tier, risk.blast_radius, risk.target_count) == ("high", "break_glass", "namespace", 1)
    assert [(step.risk_level, step.reasons) for step in risk.steps] == [
        ("high", ("lamps.switch is a write", "darkness is dangerous")),
        ("read", ("lamps.glance is a read",)),
    ]


def test_a_timeline_tells_what_happened_from_the_first_to_the_last(app):
    plan = create_plan(a_request(DARK, GLANCE), a_call(), app)
    close_plan(plan.plan_id, ClosePlan(reason="not needed"), a_call("bob"), app)

    said = [(entry.actor, entry.said) for entry in read_timeline(plan.plan_id, a_call(), app)]
    assert said == [
        ("ada", "plan drafted: risk high"),
        ("ada", "policy decided: action plan.create, outcome require_approval, approvals_required 1"),
        ("ada", "approval requested: required 1"),
        ("bob", "approval revoked"),
        ("bob", "plan closed: reason not needed"),
    ]


def test_closing_a_plan_withdraws_its_question_and_can_be_repeated(app):
    plan = create_plan(a_request(DARK, GLANCE), a_call(), app)

    close_plan(plan.plan_id, ClosePlan(reason="resolved"), a_call(), app)
    again = close_plan(plan.plan_id, ClosePlan(reason="resolved"), a_call(), app)

    assert again.status is PlanStatus.CLOSED
    assert pending(app) == ()
    assert types(app, plan.plan_id).count("PlanClosed") == 1


def test_a_plan_that_runs_is_not_closed(app):
    plan = create_plan(a_request(), a_call(), app)
    with app.begin(a_call()) as work:
        work.plans.replace(work.plans.lock(plan.plan_id).executing("execution_1", plan.digest))

    with pytest.raises(PlanBusy):
        close_plan(plan.plan_id, ClosePlan(reason="stop"), a_call(), app)


def test_a_plan_shows_whether_its_requester_may_approve_it(app):
    lenient = replace(app, settings=Chosen(self_approval_environments=frozenset({"dev"})))

    assert create_plan(a_request(DARK, GLANCE), a_call(), lenient).self_approval
    assert not create_plan(a_request(DARK, GLANCE), a_call(), app).self_approval
    assert not create_plan(a_request(DARK, GLANCE, **PROD), a_call(), lenient).self_approval
