"""A plan that isn't right gets another version, which nobody has approved yet."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.builders.plans import GLANCE, LOOK, SWITCH, a_call, a_request

from carapulse.approvals.errors import ApprovalClosed
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import DecideApproval, decide_approval, list_approvals
from carapulse.kernel.errors import Problem
from carapulse.plans.errors import PlanBusy, PlanChanged, PlanInvalid, PlanNotFound, PlanNotOpen
from carapulse.plans.requests import ClosePlan, Origin
from carapulse.plans.usecases import close_plan, create_plan, diff_plan, get_plan, revise_plan
from carapulse.policy.errors import PolicyDenied

DARK = {**SWITCH, "input": {"lamp": "hall", "on": False}}
ATTIC = {**SWITCH, "input": {"lamp": "attic", "on": False}}


def drafted(app, **origin):
    return create_plan(a_request(DARK, GLANCE), a_call(), app, Origin(**origin))


def revise(app, plan, *steps, by="ada", **facts):
    return revise_plan(plan.plan_id, a_request(*steps, **facts), a_call(by), app)


def approve(app, plan, by="bob"):
    command = DecideApproval(plan_id=plan.plan_id, status="approved", digest=plan.digest)
    return decide_approval(command, a_call(by, roles=("approver",)), app)


def test_a_revision_is_another_version_with_another_digest_and_another_question(app):
    first = drafted(app)
    second = revise(app, first, LOOK, ATTIC, GLANCE)

    assert (second.plan_id, second.version, second.status) == (first.plan_id, 2, "awaiting_approval")
    assert second.digest != first.digest
    asked = list_approvals(ApprovalFilter(plan_id=first.plan_id), a_call(), app).data
    assert [(each.version, each.status) for each in asked] == [(2, "pending"), (1, "revoked")]
    assert get_plan(first.plan_id, a_call(), app) == second


def test_an_answer_about_the_former_version_does_not_count(app):
    first = drafted(app)
    approve(app, first)
    second = revise(app, first, ATTIC, GLANCE)

    assert second.status == "awaiting_approval"
    with pytest.raises(PlanChanged):
        approve(app, first)
    assert approve(app, second).status == "approved"


def test_whoever_revised_a_plan_cannot_approve_it(app):
    second = revise(app, drafted(app), ATTIC, GLANCE, by="bob")

    with pytest.raises(Problem) as caught:
        approve(app, second, by="bob")
    assert caught.value.code == "self-approval"


def test_a_revision_that_needs_nobody_withdraws_the_question(app):
    first = drafted(app)
    second = revise(app, first, SWITCH, GLANCE)

    assert second.status == "approved"
    with pytest.raises(ApprovalClosed):
        approve(app, second)


def test_the_difference_between_two_versions_is_shown(app):
    first = drafted(app)
    revise(app, first, {**LOOK, "id": "s1"}, {**ATTIC, "id": "s3"}, {**GLANCE, "id": "s2"}, summary="The attic's")

    diff = diff_plan(first.plan_id, 1, a_call(), app)
    assert [(change.step_id, change.in_other) for change in diff.changes] == [
        ("s1", "changed"),
        ("s3", "absent"),
        ("s2", "changed"),
    ]
    assert set(diff.changed_fields) == {"summary", "steps", "targets"}


def test_what_a_step_no_longer_does_is_shown(app):
    first = drafted(app)
    revise(app, first, {**LOOK, "id": "s7"})

    diff = diff_plan(first.plan_id, 1, a_call(), app)
    assert [(step.step_id, step.action) for step in diff.removed] == [("s1", "switch"), ("s2", "glance")]


def test_a_plan_that_nobody_trusts_is_not_trusted_because_somebody_revised_it(app):
    first = drafted(app, trusted=False, meta={"source": "src_1"})
    second = revise(app, first, SWITCH, GLANCE)

    assert (second.trusted, second.meta, second.status) == (False, {"source": "src_1"}, "awaiting_approval")


def test_a_faulty_or_denied_revision_changes_nothing(app):
    first = drafted(app)

    with pytest.raises(PlanInvalid):
        revise(app, first, SWITCH)
    with pytest.raises(PolicyDenied):
        revise(app, first, SWITCH, GLANCE, context={"environment": "nowhere"})
    assert get_plan(first.plan_id, a_call(), app) == first


def test_what_runs_or_is_closed_or_is_another_tenants_cannot_be_revised(app):
    closed, running = drafted(app), create_plan(a_request(), a_call(), app)
    close_plan(closed.plan_id, ClosePlan(reason="over"), a_call(), app)
    with app.begin(a_call()) as work:
        work.plans.replace(work.plans.lock(running.plan_id).executing("execution_1", running.digest))

    with pytest.raises(PlanNotOpen):
        revise(app, closed)
    with pytest.raises(PlanBusy):
        revise(app, running)
    with pytest.raises(PlanNotFound):
        revise_plan(closed.plan_id, a_request(), a_call("eve", tenant="rival"), app)


def test_ten_revisions_at_once_leave_one_question_and_no_gap(app):
    first = drafted(app)

    def attempt(number):
        try:
            return revise(app, first, ATTIC, GLANCE, summary=f"Number {number}").version
        except PlanChanged:
            return None

    with ThreadPoolExecutor(10) as threads:
        versions = sorted(version for version in threads.map(attempt, range(10)) if version)

    assert versions == list(range(2, 2 + len(versions)))
    assert get_plan(first.plan_id, a_call(), app).version == versions[-1]
    open_ones = list_approvals(ApprovalFilter(status="pending"), a_call(), app).data
    assert [each.version for each in open_ones] == [versions[-1]]
