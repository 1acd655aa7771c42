"""Asking people about a plan, and taking the question back, in the write that changes the plan."""

from datetime import datetime

from carapulse.approvals.errors import SelfApprovalInProduction
from carapulse.approvals.events import ApprovalRequested, ApprovalRevoked
from carapulse.approvals.messages import ExpireApproval
from carapulse.approvals.model import LIFETIME, Approval
from carapulse.approvals.ports import ApprovalWork
from carapulse.kernel.ids import new_id
from carapulse.plans.model import Plan


class ApprovalEnvelopes:
    """What plans know of approvals."""

    def request(self, plan: Plan, work: ApprovalWork, at: datetime) -> None:
        """Ask whether exactly this version may be run; the question expires by itself."""
        approval = Approval(
            id=new_id("approval"),
            plan_id=plan.id,
            version=plan.version,
            digest=plan.digest,
            requested_by=plan.requested_by,
            summary=plan.summary,
            risk=plan.risk.value,
            environment=plan.environment,
            required=plan.approvals_required,
            self_approval_allowed=plan.self_approval,
            requested_at=at,
            expires_at=at + LIFETIME,
        )
        work.approvals.add(approval)
        work.record(plan.id, ApprovalRequested.of(approval))
        work.send(ExpireApproval(plan_id=plan.id, approval_id=approval.id), delay_s=LIFETIME.total_seconds())

    def withdraw(self, plan: Plan, work: ApprovalWork, at: datetime) -> None:
        """Take an open question or an unused answer back, if there is one. The plan must be locked."""
        approval = work.approvals.open_for(plan.id)
        if approval is not None:
            revoked = approval.revoked(at)
            work.approvals.replace(revoked, since=approval)
            work.record(plan.id, ApprovalRevoked.of(revoked))


def refuse_production(self_approval: frozenset[str], production: frozenset[str]) -> None:
    """Stop a start whose settings would let requesters approve in a production environment."""
    if both := self_approval & production:
        detail = "requesters can't be allowed to approve in production"
        raise SelfApprovalInProduction(detail, environments=sorted(both))
