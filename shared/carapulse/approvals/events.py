"""What happens to approvals. Each is a fact in the plan's own stream."""

from typing import Self

from carapulse.approvals.model import Answer, Approval, Delegation
from carapulse.kernel.event import Event


class _AboutApproval(Event):
    approval_id: str
    plan_id: str
    digest: str

    @classmethod
    def of(cls, approval: Approval) -> Self:
        """Return the fact about this approval."""
        return cls(approval_id=approval.id, plan_id=approval.plan_id, digest=approval.digest)


class ApprovalRequested(Event):
    """People are asked whether exactly this version of a plan may be run."""

    approval_id: str
    plan_id: str
    version: int
    digest: str
    required: int
    self_approval_allowed: bool
    expires_at: str

    @classmethod
    def of(cls, approval: Approval) -> Self:
        """Return the fact that people were asked."""
        return cls(
            approval_id=approval.id,
            plan_id=approval.plan_id,
            version=approval.version,
            digest=approval.digest,
            required=approval.required,
            self_approval_allowed=approval.self_approval_allowed,
            expires_at=approval.expires_at.isoformat(),
        )


class ApprovalDecided(Event):
    """One person answered."""

    approval_id: str
    plan_id: str
    digest: str
    approver: str
    status: str
    note: str | None
    self_approval: bool
    on_behalf_of: str | None = None

    @classmethod
    def of(cls, approval: Approval, answer: Answer) -> Self:
        """Return the fact that somebody answered."""
        return cls(
            approval_id=approval.id,
            plan_id=approval.plan_id,
            digest=approval.digest,
            approver=answer.approver,
            status=answer.status,
            note=answer.note,
            self_approval=answer.approver == approval.requested_by,
            on_behalf_of=answer.on_behalf_of,
        )


class ApprovalDelegated(Event):
    """Somebody who may answer handed their answer to another person; until then they have none themselves."""

    approval_id: str
    plan_id: str
    digest: str
    delegator: str
    delegate: str
    until: str
    note: str | None

    @classmethod
    def of(cls, approval: Approval, delegation: Delegation) -> Self:
        """Return the fact that somebody handed their answer on."""
        return cls(
            approval_id=approval.id,
            plan_id=approval.plan_id,
            digest=approval.digest,
            delegator=delegation.delegator,
            delegate=delegation.delegate,
            until=delegation.until.isoformat(),
            note=delegation.note,
        )


class ApprovalGranted(_AboutApproval):
    """Everybody who must agree has agreed."""


class ApprovalDenied(_AboutApproval):
    """Somebody said no, which is final."""


class ApprovalExpired(_AboutApproval):
    """The answer, or its use, did not come in time."""


class ApprovalRevoked(_AboutApproval):
    """The question or its answer was withdrawn."""


class ApprovalUsed(Event):
    """One run used the approval up."""

    approval_id: str
    plan_id: str
    digest: str
    execution_id: str

    @classmethod
    def of(cls, approval: Approval, execution_id: str) -> Self:
        """Return the fact that a run used it."""
        return cls(approval_id=approval.id, plan_id=approval.plan_id, digest=approval.digest, execution_id=execution_id)
