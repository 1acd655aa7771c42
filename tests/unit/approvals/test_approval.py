"""What an approval allows, and what it never does."""

from datetime import timedelta

import pytest
from tests.builders.approvals import an_answer, an_approval
from tests.builders.plans import NOON

from carapulse.approvals.errors import AlreadyAnswered, ApprovalClosed, ApprovalExpired, NotApproved, SelfApproval
from carapulse.approvals.model import LIFETIME, ApprovalStatus, still_valid
from carapulse.plans.errors import PlanChanged

DIGEST = "sha256:aa"
LATE = NOON + LIFETIME


def granted(**facts):
    return an_approval(**facts).decided(an_answer("bob"), digest=DIGEST)


def test_another_person_can_approve():
    approval = an_approval().decided(an_answer("bob"), digest=DIGEST)

    assert approval.status is ApprovalStatus.APPROVED
    assert [(answer.approver, answer.note, answer.at) for answer in approval.answers] == [("bob", "looked at it", NOON)]


@pytest.mark.parametrize("status", ["approved", "denied"])
def test_whoever_asked_cannot_answer(status):
    with pytest.raises(SelfApproval):
        an_approval().decided(an_answer("ada", status), digest=DIGEST)


def test_whoever_asked_can_approve_where_the_installation_says_so():
    approval = an_approval(self_approval_allowed=True).decided(an_answer("ada"), digest=DIGEST)

    assert approval.status is ApprovalStatus.APPROVED
    assert approval.self_approved


def test_as_many_different_people_as_required_must_agree():
    one = an_approval(required=2).decided(an_answer("bob"), digest=DIGEST)
    two = one.decided(an_answer("carol"), digest=DIGEST)

    assert (one.status, two.status) == (ApprovalStatus.PENDING, ApprovalStatus.APPROVED)


@pytest.mark.parametrize("second", ["approved", "denied"])
def test_a_person_answers_once(second):
    once = an_approval(required=2).decided(an_answer("bob"), digest=DIGEST)

    with pytest.raises(AlreadyAnswered):
        once.decided(an_answer("bob", second), digest=DIGEST)


def test_one_no_ends_it_whoever_said_yes():
    one = an_approval(required=2).decided(an_answer("bob"), digest=DIGEST)
    denied = one.decided(an_answer("carol", "denied"), digest=DIGEST)

    assert denied.status is ApprovalStatus.DENIED
    with pytest.raises(ApprovalClosed):
        denied.decided(an_answer("dave"), digest=DIGEST)


def test_a_no_counts_even_after_enough_said_yes():
    assert granted().decided(an_answer("carol", "denied"), digest=DIGEST).status is ApprovalStatus.DENIED


def test_a_yes_too_many_is_refused():
    with pytest.raises(ApprovalClosed):
        granted().decided(an_answer("carol"), digest=DIGEST)


def test_an_answer_about_another_plan_is_refused():
    with pytest.raises(PlanChanged):
        an_approval().decided(an_answer("bob"), digest="sha256:bb")


def test_an_answer_after_24_hours_is_refused():
    assert an_approval().decided(an_answer("bob", at=LATE - timedelta(microseconds=1)), digest=DIGEST).granted == 1
    with pytest.raises(ApprovalExpired):
        an_approval().decided(an_answer("bob", at=LATE), digest=DIGEST)


def test_it_is_used_by_one_run_only():
    used = granted().used("execution_1", digest=DIGEST, at=NOON)

    assert used.used("execution_1", digest=DIGEST, at=NOON) == used
    with pytest.raises(ApprovalClosed):
        used.used("execution_2", digest=DIGEST, at=NOON)


def test_it_cannot_be_used_before_it_is_granted_nor_too_late_nor_for_another_plan():
    with pytest.raises(NotApproved):
        an_approval().used("execution_1", digest=DIGEST, at=NOON)
    with pytest.raises(ApprovalExpired):
        granted().used("execution_1", digest=DIGEST, at=LATE)
    with pytest.raises(PlanChanged):
        granted().used("execution_1", digest="sha256:bb", at=NOON)


@pytest.mark.parametrize("status", ["denied", "expired", "revoked"])
def test_what_is_closed_cannot_be_used(status):
    with pytest.raises(ApprovalClosed):
        an_approval(status=status).used("execution_1", digest=DIGEST, at=NOON)


@pytest.mark.parametrize("status", ["denied", "used", "revoked", "expired"])
def test_what_is_closed_does_not_expire(status):
    with pytest.raises(ApprovalClosed):
        an_approval(status=status).expired(LATE)


def test_it_does_not_expire_before_its_time():
    with pytest.raises(NotApproved):
        an_approval().expired(LATE - timedelta(seconds=1))
    assert an_approval().expired(LATE).status is ApprovalStatus.EXPIRED


def test_its_own_run_may_go_on_past_the_expiry_but_not_past_a_revocation():
    used = granted().used("execution_1", digest=DIGEST, at=NOON)

    assert still_valid(used, DIGEST, LATE + timedelta(hours=1), execution_id="execution_1")
    assert not still_valid(used.revoked(LATE), DIGEST, LATE, execution_id="execution_1")
    assert not still_valid(used, DIGEST, NOON, execution_id="execution_2")
    assert not still_valid(used, "sha256:bb", NOON, execution_id="execution_1")


def test_what_is_granted_is_valid_until_it_expires():
    assert still_valid(granted(), DIGEST, NOON, execution_id="execution_1")
    assert not still_valid(granted(), DIGEST, LATE, execution_id="execution_1")
    assert not still_valid(an_approval(), DIGEST, NOON, execution_id="execution_1")
