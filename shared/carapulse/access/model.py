"""The answer to the question who somebody is, or whether they may do something. Pure."""

from datetime import UTC, datetime
from typing import Any, Final, Self

from pydantic import AwareDatetime, Field

from carapulse.identity.model import Kind, Principal, Proof, Role, Subject
from carapulse.identity.permissions import Permission, permissions_of, roles_with
from carapulse.kernel.call import Actor, Scope
from carapulse.kernel.errors import Denied
from carapulse.kernel.record import Record
from carapulse.policy.document import Action
from carapulse.policy.model import Decision, Outcome, Reason

JUDGED: Final[dict[Permission, Action]] = {
    "approval:decide": Action(name="approval.decide", type="write"),
    "plan:create": Action(name="plan.create", type="write"),
    "plan:execute": Action(name="plan.execute", type="write"),
}
"""What policy is asked about a plan, beside the permission."""


class Me(Record):
    """Who the caller is here."""

    actor: str
    kind: Kind
    tenant: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    scope: Scope
    owner: str | None = Field(description="who answers for the key")
    proof: Proof
    expires_at: AwareDatetime

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """Return what is shown of a principal."""
        actor = principal.actor
        return cls(
            actor=actor.id,
            kind=actor.kind,
            tenant=principal.tenant,
            roles=tuple(sorted(actor.roles)),
            permissions=tuple(sorted(permissions_of(actor.roles))),
            scope=actor.scope,
            owner=actor.owner,
            proof=principal.proof,
            expires_at=datetime.fromtimestamp(principal.expires_at, UTC),
        )


class Somebody(Record):
    """An actor as they would be."""

    actor: Subject
    kind: Kind
    roles: frozenset[Role]
    scope: Scope = Scope()

    @property
    def as_actor(self) -> Actor:
        """The actor that is meant."""
        roles = frozenset(role.value for role in self.roles)
        return Actor(id=self.actor, kind=self.kind, roles=roles, scope=self.scope)


class StageAnswer(Record):
    """What one stage says."""

    allowed: bool
    reason: str | None = None


class RoleAnswer(StageAnswer):
    """What the roles say, and which roles would allow it."""

    roles_that_allow: tuple[Role, ...]

    @classmethod
    def about(cls, permission: Permission, refused: StageAnswer) -> Self:
        """Return the answer with the roles that would allow it."""
        return cls(**dict(refused), roles_that_allow=roles_with(permission))


class PolicyAnswer(Record):
    """What policy would say about the plan now. The decision is not kept, and neither is its id."""

    allowed: bool
    decision_id: str
    action: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    obligations: dict[str, Any]
    approvals_required: int
    approvals_given: int
    input_digest: str
    policy_digest: str
    answered: bool

    @classmethod
    def of(cls, decision: Decision, action: Action, approvals: int) -> Self:
        """Return what is shown of a decision; making a plan waits for no approval."""
        drafts = action.name == "plan.create"
        allowed = decision.outcome != "deny" if drafts else decision.permits(approvals=approvals)
        facts = {name: value for name, value in dict(decision).items() if name != "id"}
        return cls(allowed=allowed, decision_id=decision.id, action=action.name, approvals_given=approvals, **facts)


class Checked(Record):
    """Whether somebody may do something, and what each stage says. `policy` is null where it is not asked."""

    allowed: bool
    actor: str
    permission: str
    role: RoleAnswer
    person: StageAnswer
    scope: StageAnswer
    policy: PolicyAnswer | None


def stage(refusals: tuple[Denied, ...], kind: type[Denied]) -> StageAnswer:
    """Return what the stage says that refuses in one way."""
    reason = next((refusal.detail for refusal in refusals if isinstance(refusal, kind)), None)
    return StageAnswer(allowed=reason is None, reason=reason)
