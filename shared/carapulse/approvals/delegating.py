"""Handing one's own answer to another person, for one approval."""

from collections.abc import Mapping

from pydantic import Field

from carapulse.approvals.errors import ApprovalNotFound
from carapulse.approvals.events import ApprovalDelegated
from carapulse.approvals.judging import may_answer
from carapulse.approvals.model import Approval, Delegation, Note
from carapulse.approvals.ports import ApprovalPorts, ApprovalWork
from carapulse.approvals.usecases import asked_about
from carapulse.identity.model import Subject
from carapulse.identity.permissions import Permission
from carapulse.kernel.call import Call
from carapulse.kernel.moment import Moment
from carapulse.kernel.record import Record
from carapulse.observe import get_logger

_ANSWER: frozenset[Permission] = frozenset({"approval:decide"})
_NOTHING: frozenset[Permission] = frozenset()
log = get_logger(__name__)


class DelegateApproval(Record):
    """Hand one's own answer to another person, who then has it until a moment, or for as long as the approval is open.

    It can't be handed on. Until it ends, whoever handed it over can't answer.
    """

    to: Subject
    note: Note | None = None
    until: Moment | None = Field(None, description="null: as long as the approval is open")


def delegate_approval(approval_id: str, command: DelegateApproval, call: Call, ports: ApprovalPorts) -> Approval:
    """Hand the caller's own answer to another person, provided policy would let the caller give it."""
    at = ports.clock.now()
    with ports.begin(call) as work:
        plan_id = work.approvals.get(approval_id).plan_id
    allowed = may_answer(plan_id, call, ports, at, for_others=False)
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        approval = asked_about(plan, work, approval_id)
        given = {"delegator": call.actor.id, "delegate": command.to, "note": command.note, "at": at}
        delegation = Delegation(**given, until=command.until or approval.expires_at)
        after = approval.delegated(delegation)
        work.record(plan.id, allowed.fact)
        work.record(plan.id, ApprovalDelegated.of(after, delegation))
        work.approvals.replace(after, since=approval)
    log.info("approval_delegated", approval_id=approval_id, delegate=command.to)
    return after


def lent_answer(named: Mapping[str, str], call: Call, ports: ApprovalPorts) -> frozenset[Permission]:
    """Return the permission to answer an approval, by its id or its plan's, if somebody handed the caller theirs."""
    with ports.begin(call) as work:
        approval = _named(named, work)
    return _ANSWER if approval and approval.lent_to(call.actor.id, ports.clock.now()) else _NOTHING


def _named(named: Mapping[str, str], work: ApprovalWork) -> Approval | None:
    """Return what is meant; None also where a body says another thing beside what its path says."""
    if ("approval_id" in named) == ("plan_id" in named):
        return None
    if "plan_id" in named:
        return work.approvals.latest_for(named["plan_id"])
    try:
        return work.approvals.get(named["approval_id"])
    except ApprovalNotFound:
        return None
