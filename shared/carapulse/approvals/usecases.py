"""What can be asked of approvals. One function is one thing an operator, a run or the clock can ask for."""

from collections.abc import Callable
from datetime import datetime

from pydantic import Field

from carapulse.approvals.errors import ApprovalClosed, ApprovalNotFound, NotApproved
from carapulse.approvals.events import (
    ApprovalDecided,
    ApprovalDenied,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRevoked,
    ApprovalUsed,
)
from carapulse.approvals.judging import MayAnswer, may_answer
from carapulse.approvals.messages import ExpireApproval
from carapulse.approvals.model import OPEN, Answer, AnswerStatus, Approval, ApprovalStatus, Note
from carapulse.approvals.ports import ApprovalFilter, ApprovalPorts, ApprovalWork
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.kernel.record import Record
from carapulse.observe import get_logger
from carapulse.plans.events import PlanApproved, PlanExpired, PlanRejected
from carapulse.plans.model import Plan, PlanStatus
from carapulse.plans.usecases import shown_plan

log = get_logger(__name__)
Also = Callable[[Approval, ApprovalWork], None]


def _nothing(_approval: Approval, _work: ApprovalWork) -> None:
    """Do nothing besides."""


class DecideApproval(Record):
    """One person's answer to exactly one version of one plan."""

    plan_id: str = Field(min_length=1, max_length=100)
    status: AnswerStatus
    digest: str = Field(min_length=1, max_length=100)
    note: Note | None = None


class AnswerApproval(Record):
    """One person's answer to one approval."""

    status: AnswerStatus
    digest: str = Field(min_length=1, max_length=100)
    note: Note | None = None


def decide_approval(
    command: DecideApproval,
    call: Call,
    ports: ApprovalPorts,
    seen: Match = WHICHEVER,
    *,
    approval_id: str | None = None,
    also: Also = _nothing,
) -> Approval:
    """Record one person's answer, provided it is about the plan that was judged and policy lets them answer.

    `also` is done in the same write, with the approval as it is after it. Policy is asked before the plan is locked:
    what it is told of a plan's version, and of a delegation, can't change.
    """
    at = ports.clock.now()
    allowed = may_answer(command.plan_id, call, ports, at)
    with ports.begin(call) as work:
        plan = work.plans.lock(command.plan_id)
        seen.check(shown_plan(plan, work))
        approval = asked_about(plan, work, approval_id)
        answer = _answer(command, approval, allowed, call, at)
        after = approval.decided(answer, digest=command.digest)
        work.record(plan.id, allowed.fact)
        work.record(plan.id, ApprovalDecided.of(after, answer))
        work.approvals.replace(after, since=approval)
        _follow(plan, after, work)
        also(after, work)
    log.info("approval_decided", plan_id=plan.id, status=command.status, approval_status=after.status)
    return after


def answer_approval(
    approval_id: str, command: AnswerApproval, call: Call, ports: ApprovalPorts, seen: Match = WHICHEVER
) -> Approval:
    """Record one person's answer to the approval of that id, as deciding by the plan's id does."""
    plan_id = get_approval(approval_id, call, ports).plan_id
    whole = DecideApproval(plan_id=plan_id, **dict(command))
    return decide_approval(whole, call, ports, seen, approval_id=approval_id)


def get_approval(approval_id: str, call: Call, ports: ApprovalPorts) -> Approval:
    """Return one approval with its answers and delegations."""
    with ports.begin(call) as work:
        return work.approvals.get(approval_id)


def list_approvals(wanted: ApprovalFilter, call: Call, ports: ApprovalPorts) -> Page[Approval]:
    """Return approvals, the newest first."""
    with ports.begin(call) as work:
        return work.approvals.page(wanted, ports.clock.now())


def consume_approval(plan: Plan, execution_id: str, work: ApprovalWork, at: datetime) -> Approval | None:
    """Use a plan's approval up for one run; None for a plan that policy allowed without one. The plan must be locked.

    Raises NotApproved, ApprovalClosed, ApprovalExpired or PlanChanged, and then nothing may be run.
    """
    if plan.decision == "allow":
        return None
    approval = work.approvals.latest_for(plan.id)
    if approval is None:
        raise NotApproved("nobody was asked to approve the plan", plan_id=plan.id)
    used = approval.used(execution_id, digest=plan.digest, at=at)
    if used != approval:
        work.approvals.replace(used, since=approval)
        work.record(plan.id, ApprovalUsed.of(used, execution_id))
    return used


def revoke_approval(plan_id: str, call: Call, ports: ApprovalPorts, *, approval_id: str | None = None) -> Approval:
    """Withdraw an approval, also one that a run is using: no further step of that run may change anything."""
    at = ports.clock.now()
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        approval = asked_about(plan, work, approval_id)
        revoked = approval.revoked(at)
        work.approvals.replace(revoked, since=approval)
        work.record(plan.id, ApprovalRevoked.of(revoked))
        if plan.status in {PlanStatus.AWAITING_APPROVAL, PlanStatus.APPROVED}:
            work.plans.replace(plan.rejected(plan.digest))
            work.record(plan.id, PlanRejected(plan_id=plan.id, digest=plan.digest))
    return revoked


def withdraw_approval(approval_id: str, call: Call, ports: ApprovalPorts) -> Approval:
    """Withdraw the approval of that id, as revoking by the plan's id does."""
    plan_id = get_approval(approval_id, call, ports).plan_id
    return revoke_approval(plan_id, call, ports, approval_id=approval_id)


def expire_approval(message: ExpireApproval, call: Call, ports: ApprovalPorts) -> None:
    """Let an approval expire, with its plan. One that is not open any more stays as it is, however often this is asked.

    Asked too early (clocks differ), it asks again later.
    """
    at = ports.clock.now()
    with ports.begin(call.by_the_clock()) as work:
        plan = work.plans.lock(message.plan_id)
        approval = work.approvals.get(message.approval_id)
        if approval.status not in OPEN:
            return
        if at < approval.expires_at:
            work.send(message, delay_s=(approval.expires_at - at).total_seconds())
            return
        expired = approval.expired(at)
        work.approvals.replace(expired, since=approval)
        work.record(plan.id, ApprovalExpired.of(expired))
        work.plans.replace(plan.expired())
        work.record(plan.id, PlanExpired(plan_id=plan.id, digest=plan.digest))


def asked_about(plan: Plan, work: ApprovalWork, approval_id: str | None = None) -> Approval:
    """Return the newest approval of a plan, which must be the one that is named, if one is."""
    approval = work.approvals.latest_for(plan.id)
    if approval is None:
        raise ApprovalNotFound("nobody is asked to approve this plan", plan_id=plan.id, status=plan.status)
    if approval_id not in {None, approval.id}:
        raise ApprovalClosed("people are asked anew about this plan", plan_id=plan.id, approval_id=approval.id)
    return approval


def _answer(command: DecideApproval, approval: Approval, allowed: MayAnswer, call: Call, at: datetime) -> Answer:
    """Return the answer, given for whom policy was told that it would be given for."""
    lent = approval.lent_to(call.actor.id, at)
    if lent != allowed.by:
        raise ApprovalClosed("people are asked anew about this plan", plan_id=approval.plan_id, approval_id=approval.id)
    return Answer(
        approver=call.actor.id,
        status=command.status,
        note=command.note,
        at=at,
        on_behalf_of=lent.delegator if lent else None,
    )


def _follow(plan: Plan, approval: Approval, work: ApprovalWork) -> None:
    """Move the plan on with its approval."""
    if approval.status is ApprovalStatus.APPROVED:
        work.record(plan.id, ApprovalGranted.of(approval))
        work.plans.replace(plan.approved(approval.digest))
        work.record(plan.id, PlanApproved(plan_id=plan.id, digest=plan.digest))
    elif approval.status is ApprovalStatus.DENIED:
        work.record(plan.id, ApprovalDenied.of(approval))
        work.plans.replace(plan.rejected(approval.digest))
        work.record(plan.id, PlanRejected(plan_id=plan.id, digest=plan.digest))
