"""People answer for plans; the log keeps every answer; nobody answers twice, late, for himself or about something else."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.builders.application import Chosen
from tests.builders.plans import GLANCE, SWITCH, a_call, a_request
from tests.builders.queues import a_queue

from carapulse.approvals.consumers import consumers
from carapulse.approvals.envelopes import refuse_production
from carapulse.approvals.errors import (
    AlreadyAnswered,
    ApprovalClosed,
    ApprovalExpired,
    ApprovalNotFound,
    NotApproved,
    SelfApproval,
    SelfApprovalInProduction,
)
from carapulse.approvals.messages import ExpireApproval
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import (
    DecideApproval,
    consume_approval,
    decide_approval,
    expire_approval,
    list_approvals,
    revoke_approval,
)
from carapulse.kernel.errors import Problem
from carapulse.plans.errors import PlanChanged, PlanNotFound
from carapulse.plans.requests import ClosePlan
from carapulse.plans.usecases import close_plan, create_plan, get_plan
from carapulse.policy.errors import PolicyDenied

DARK = {**SWITCH, "input": {"lamp": "hall", "on": False}}
PROD = {"environment": "prod", "namespace": "shop"}
DAY = timedelta(hours=24)


def a_person(name="bob", **facts):
    return a_call(name, **{"roles": ("approver",), **facts})


def drafted(app, environment="dev", by="ada"):
    request = a_request(DARK, GLANCE, context={"environment": environment, "namespace": "shop"})
    return create_plan(request, a_call(by, roles=("sre",)), app)


def decide(app, plan, by="bob", status="approved", **facts):
    command = DecideApproval(
        plan_id=plan.plan_id, status=status, digest=facts.pop("digest", plan.digest), note="looked"
    )
    return decide_approval(command, a_person(by, **facts), app)


def status(app, plan):
    return get_plan(plan.plan_id, a_call(), app).status


def types(app, plan):
    return [event.type for event in app.happened(plan.plan_id)]


def consume(app, plan, execution_id="execution_1"):
    with app.begin(a_call()) as work:
        head = work.plans.lock(plan.plan_id)
        used = consume_approval(head, execution_id, work, app.clock.now())
        work.plans.replace(head.executing(execution_id, plan.digest))
    return used


def expire(app, plan):
    (approval,) = list_approvals(ApprovalFilter(plan_id=plan.plan_id), a_call(), app).data
    expire_approval(ExpireApproval(plan_id=plan.plan_id, approval_id=approval.id), a_call(), app)


def messages(app):
    delay = "SELECT extract(epoch FROM available_at - created_at) AS delay_s FROM messages ORDER BY created_at"
    with app.begin(a_call()) as work:
        return [float(row.delay_s) for row in work.connection.execute(text(delay))]


def test_another_person_approves_and_the_log_says_who_when_and_why(app):
    plan = drafted(app)
    approval = decide(app, plan)

    assert (approval.status, status(app, plan)) == ("approved", "approved")
    events = app.happened(plan.plan_id)
    assert [event.type for event in events][3:] == [
        "PolicyDecided",
        "ApprovalDecided",
        "ApprovalGranted",
        "PlanApproved",
    ]
    assert (events[4].actor, events[4].body["approver"], events[4].body["note"]) == ("bob", "bob", "looked")
    (answer,) = approval.answers
    assert (answer.approver, answer.note, answer.at) == ("bob", "looked", app.clock.now())


def test_whoever_asked_cannot_approve_and_the_attempt_is_in_the_log(app):
    plan = drafted(app)

    with pytest.raises(SelfApproval):
        decide(app, plan, "ada", roles=("sre",))

    assert status(app, plan) == "awaiting_approval"
    assert app.happened(plan.plan_id)[-1].body["outcome"] == "deny"


@pytest.mark.parametrize("facts", [{"roles": ("viewer",)}, {"roles": ("operator",)}, {"roles": ()}])
def test_a_role_that_may_not_answer_is_denied(app, facts):
    plan = drafted(app)

    with pytest.raises(PolicyDenied):
        decide(app, plan, **facts)

    assert status(app, plan) == "awaiting_approval"


def test_where_the_installation_says_so_the_requester_approves_and_everybody_sees_it(app):
    lenient = replace(app, settings=Chosen(frozenset({"dev"})))
    plan = drafted(lenient)

    approval = decide(lenient, plan, "ada", roles=("sre",))

    assert (approval.status, approval.self_approved) == ("approved", True)
    assert get_plan(plan.plan_id, a_call(), app).self_approval
    assert next(e for e in app.happened(plan.plan_id) if e.type == "ApprovalDecided").body["self_approval"] is True


def test_even_then_never_in_production(app):
    lenient = replace(app, settings=Chosen(frozenset({"dev", "prod"})))
    plan = drafted(lenient, "prod")

    with pytest.raises(PolicyDenied):
        decide(lenient, plan, "ada", roles=("sre",))


def test_settings_that_would_allow_it_in_production_stop_the_start():
    refuse_production(frozenset({"dev"}), frozenset({"prod"}))
    with pytest.raises(SelfApprovalInProduction):
        refuse_production(frozenset({"dev", "prod"}), frozenset({"prod"}))


def test_production_needs_two_different_people(app):
    plan = drafted(app, "prod")

    assert decide(app, plan, "bob").status == "pending"
    with pytest.raises(AlreadyAnswered):
        decide(app, plan, "bob")
    assert status(app, plan) == "awaiting_approval"
    assert decide(app, plan, "carol").status == "approved"
    assert status(app, plan) == "approved"


def test_a_no_is_final(app):
    plan = drafted(app)
    decide(app, plan, status="denied")

    with pytest.raises(ApprovalClosed):
        decide(app, plan, "carol")
    assert status(app, plan) == "rejected"
    assert types(app, plan)[-2:] == ["ApprovalDenied", "PlanRejected"]


def test_a_no_wins_over_a_yes_until_the_plan_runs(app):
    plan = drafted(app)
    decide(app, plan)

    assert decide(app, plan, "carol", status="denied").status == "denied"
    assert status(app, plan) == "rejected"


def test_an_answer_about_another_digest_is_refused(app):
    plan = drafted(app)

    with pytest.raises(PlanChanged):
        decide(app, plan, digest="sha256:" + "0" * 64)
    assert "ApprovalDecided" not in types(app, plan)


def test_a_plan_that_does_not_exist_or_is_another_tenants_cannot_be_approved(app):
    plan = drafted(app)

    with pytest.raises(PlanNotFound):
        decide(app, plan, tenant="rival")
    with pytest.raises(PlanNotFound):
        decide(app, plan.model_copy(update={"plan_id": "plan_0"}))


def test_a_plan_that_needs_nobody_cannot_be_approved(app):
    plan = create_plan(a_request(), a_call(), app)

    with pytest.raises(ApprovalNotFound):
        decide(app, plan)


def test_a_closed_plan_cannot_be_approved(app):
    plan = drafted(app)
    close_plan(plan.plan_id, ClosePlan(reason="over"), a_call(), app)

    with pytest.raises(ApprovalClosed):
        decide(app, plan)


def test_twenty_answers_at_once_leave_one_approval_and_every_answer_that_counted(app):
    plan = drafted(app, "prod")

    def answer(number):
        try:
            return decide(app, plan, f"person-{number % 10}").status.value
        except Problem as problem:
            return problem.code

    with ThreadPoolExecutor(20) as threads:
        outcomes = sorted(threads.map(answer, range(20)))

    assert outcomes.count("approved") == 1
    assert outcomes.count("pending") == 1
    assert set(outcomes) <= {"approved", "pending", "approval-closed", "already-answered"}
    assert types(app, plan).count("ApprovalDecided") == 2
    assert types(app, plan).count("PlanApproved") == 1
    (approval,) = list_approvals(ApprovalFilter(plan_id=plan.plan_id), a_call(), app).data
    assert len(approval.answers) == 2


def test_yes_and_no_at_once_end_as_a_no(app):
    plan = drafted(app)

    def answer(number):
        with suppress(ApprovalClosed):
            decide(app, plan, f"person-{number}", status="denied" if number == 7 else "approved")

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(answer, range(16)))

    assert status(app, plan) == "rejected"


def test_an_approval_is_used_by_one_execution(app):
    plan = drafted(app)
    decide(app, plan)

    assert consume(app, plan).execution_id == "execution_1"
    assert types(app, plan)[-1] == "ApprovalUsed"
    with app.begin(a_call()) as work:
        head = work.plans.lock(plan.plan_id)
        again = consume_approval(head, "execution_1", work, app.clock.now())
        assert again is not None
        assert again.status == "used"
        with pytest.raises(ApprovalClosed):
            consume_approval(head, "execution_2", work, app.clock.now())
    assert types(app, plan).count("ApprovalUsed") == 1


def test_a_plan_without_enough_answers_is_not_executed(app):
    plan = drafted(app, "prod")
    decide(app, plan)

    with pytest.raises(NotApproved):
        consume(app, plan)


def test_a_plan_that_policy_allowed_needs_no_approval_to_run(app):
    plan = create_plan(a_request(), a_call(), app)

    assert consume(app, plan) is None


def test_after_24_hours_nobody_can_answer_or_use_an_answer(app):
    unanswered, unused = drafted(app), drafted(app)
    decide(app, unused)
    app.clock.move(DAY)

    with pytest.raises(ApprovalExpired):
        decide(app, unanswered)
    with pytest.raises(ApprovalExpired):
        consume(app, unused)


def test_a_message_lets_an_approval_and_its_plan_expire_once(app):
    unanswered, unused = drafted(app), drafted(app)
    decide(app, unused)
    app.clock.move(DAY)

    for plan in (unanswered, unused):
        expire(app, plan)
        expire(app, plan)
        assert status(app, plan) == "expired"
        assert types(app, plan)[-2:] == ["ApprovalExpired", "PlanExpired"]


def test_a_message_that_comes_too_early_or_too_late_changes_nothing(app):
    early, late = drafted(app), drafted(app)
    app.clock.move(DAY - timedelta(minutes=1))
    before = messages(app)
    expire(app, early)
    assert len(messages(app)) == len(before) + 1
    assert messages(app)[-1] < 61
    decide(app, late)
    consume(app, late)
    app.clock.move(timedelta(minutes=1))

    expire(app, late)

    assert (status(app, early), status(app, late)) == ("awaiting_approval", "executing")


def test_the_message_is_sent_with_the_question_and_waits_a_day(app):
    plan = drafted(app)

    with app.begin(a_call()) as work:
        row = work.connection.execute(
            text("SELECT queue, type, body, extract(epoch FROM available_at - created_at) AS delay_s FROM messages")
        ).one()
    assert (row.queue, row.type, row.body["plan_id"]) == ("approvals", "ExpireApproval", plan.plan_id)
    assert abs(float(row.delay_s) - DAY.total_seconds()) < 5
    assert a_queue(app.engine).take(["approvals"], 1, visibility_s=30) == []


def test_the_consumer_takes_that_message(app):
    plan = drafted(app)
    app.clock.move(DAY)
    with app.begin(a_call()) as work:
        body = work.connection.execute(text("SELECT body FROM messages")).scalar_one()

    kind, handler = consumers.handlers["ExpireApproval"]
    handler(kind.model_validate(body), a_call(), app)

    assert status(app, plan) == "expired"


def test_revoking_takes_an_answer_back_even_while_it_is_used(app):
    granted, running = drafted(app), drafted(app)
    for plan in (granted, running):
        decide(app, plan)
    consume(app, running)

    for plan in (granted, running):
        assert revoke_approval(plan.plan_id, a_person("carol"), app).status == "revoked"

    assert (status(app, granted), status(app, running)) == ("rejected", "executing")
    with pytest.raises(ApprovalClosed):
        consume(app, granted)


def test_approvers_see_what_waits_for_them_and_nothing_of_others(app):
    first, second = drafted(app), drafted(app)
    decide(app, first)

    (waiting,) = list_approvals(ApprovalFilter(status="pending"), a_person(), app).data
    assert (waiting.plan_id, waiting.summary, waiting.requested_by) == (second.plan_id, second.summary, "ada")
    assert list_approvals(ApprovalFilter(), a_person(tenant="rival"), app).data == ()
