"""A decision, its reasons, and the fact that it was made."""

from typing import Any, Literal, Self

from carapulse.kernel.event import Event
from carapulse.kernel.record import Record
from carapulse.policy.document import PolicyInput

__all__ = ["Decision", "Outcome", "PolicyDecided", "PolicyInput", "Reason"]

Outcome = Literal["allow", "deny", "require_approval"]


class Reason(Record):
    """Why, in the operator's words, and which guard says so."""

    guard: str
    reason: str


class Decision(Record):
    """What policy said about one document. `answered` is false when nobody could be asked; then it denies."""

    id: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    approvals_required: int
    obligations: dict[str, Any]
    input_digest: str
    policy_digest: str
    answered: bool = True

    def permits(self, *, approvals: int = 0) -> bool:
        """Say whether this may go ahead when so many people have agreed to it."""
        if self.outcome == "require_approval":
            return approvals >= self.approvals_required
        return self.outcome == "allow"


class PolicyDecided(Event):
    """Policy was asked about an action and this is what it said."""

    decision_id: str
    action: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    approvals_required: int
    obligations: dict[str, Any]
    input_digest: str
    policy_digest: str
    answered: bool

    @classmethod
    def of(cls, decision: Decision, asked: PolicyInput) -> Self:
        """Return the fact that a document was decided."""
        return cls(
            decision_id=decision.id,
            action=asked.action.name,
            outcome=decision.outcome,
            reasons=decision.reasons,
            approvals_required=decision.approvals_required,
            obligations=decision.obligations,
            input_digest=decision.input_digest,
            policy_digest=decision.policy_digest,
            answered=decision.answered,
        )
