"""Whether policy lets somebody answer a plan: by their role, or by the answer that somebody else handed to them."""

from dataclasses import dataclass
from datetime import datetime

from carapulse.approvals.errors import SelfApproval
from carapulse.approvals.model import Delegation
from carapulse.approvals.ports import ApprovalPorts
from carapulse.kernel.call import Call
from carapulse.plans.judging import asked_now
from carapulse.policy.document import Action, LentAnswer, nanoseconds
from carapulse.policy.model import PolicyDecided
from carapulse.policy.usecases import enforce, judge

_DECIDE = Action(name="approval.decide", type="write")


@dataclass(frozen=True, slots=True)
class MayAnswer:
    """What policy said, and the delegation that it was told of."""

    fact: PolicyDecided
    by: Delegation | None


def may_answer(plan_id: str, call: Call, ports: ApprovalPorts, at: datetime, *, for_others: bool = True) -> MayAnswer:
    """Return what policy said, if it lets the caller answer; otherwise record and raise it.

    Without `for_others` a delegation counts for nothing: it is asked for somebody who would hand their own answer on.
    """
    with ports.begin(call) as work:
        plan, version = work.plans.current(plan_id)
        approval = work.approvals.latest_for(plan.id)
    lent = approval.lent_to(call.actor.id, at) if approval and for_others else None
    asked = asked_now(version, call, _DECIDE, ports, at, lent_answer=told_of(lent))
    decision = judge(asked, ports.policy)
    fact = PolicyDecided.of(decision, asked)
    if decision.outcome != "allow":
        with ports.begin(call) as work:
            work.record(plan.id, fact)
        if call.actor.id in {plan.requested_by, version.requested_for, *version.authors} and not plan.self_approval:
            raise SelfApproval("whoever asked can't also approve", plan_id=plan.id, decision_id=decision.id)
        enforce(decision)
    if call.actor.id == version.requested_for and not plan.self_approval:
        raise SelfApproval("whoever made the key that asked can't also approve", plan_id=plan.id)
    if call.actor.id in version.authors and not plan.self_approval:
        raise SelfApproval("whoever wrote the schedule or the source that asked can't also approve", plan_id=plan.id)
    return MayAnswer(fact, lent)


def told_of(lent: Delegation | None) -> LentAnswer | None:
    """Return what policy is told of a delegation."""
    if lent is None:
        return None
    return LentAnswer(by=lent.delegator, to=lent.delegate, until_ns=nanoseconds(lent.until))
