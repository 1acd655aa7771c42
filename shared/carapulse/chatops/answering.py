"""What each command does: it asks for the same permission, and calls the same use case, as the route of the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from carapulse.approvals.delegating import lent_answer
from carapulse.approvals.model import AnswerStatus, Approval
from carapulse.approvals.ports import ApprovalWork
from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.chatops.grammar import Command
from carapulse.chatops.model import Reply
from carapulse.chatops.ports import ChatPorts
from carapulse.chatops.showing import decided_reply, execution_reply, plan_reply, plans_reply
from carapulse.executions.reading import get_execution
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import CancelExecution, cancel_execution
from carapulse.identity.permissions import Permission, permissions_of, require
from carapulse.kernel.call import Call
from carapulse.plans.ending import cancel_plan
from carapulse.plans.errors import PlanChanged
from carapulse.plans.model import PlanStatus
from carapulse.plans.ports import PlanFilter
from carapulse.plans.requests import CancelPlan
from carapulse.plans.usecases import get_plan, list_plans

_AT_ONCE: Final = 10
SAID: Final[Mapping[str, AnswerStatus]] = {"approve": "approved", "deny": "denied"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A command of a person who is known. `told` is done with the reply in the write that decides, if one does."""

    command: Command
    call: Call
    ports: ChatPorts
    told: Callable[[Reply, ApprovalWork], None] | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """What a command does, what it needs, and which route of the API is the same; `lends` if others can lend it."""

    permission: Permission
    route: str
    do: Callable[[Asked], Reply]
    changes: bool = True
    lends: bool = False


def obey(asked: Asked) -> Reply:
    """Do what a person asks for, if they may, or raise a Problem as the route would."""
    deed = DEEDS[asked.command.deed]
    lent: frozenset[Permission] = frozenset()
    if deed.lends and deed.permission not in permissions_of(asked.call.actor.roles):
        lent = lent_answer({"plan_id": asked.command.id}, asked.call, asked.ports)
    require(asked.call, deed.permission, lent=lent)
    return deed.do(asked)


def _plans(asked: Asked) -> Reply:
    def those(status: PlanStatus) -> PlanFilter:
        return PlanFilter(status=status, limit=_AT_ONCE)

    waiting = list_plans(those(PlanStatus.AWAITING_APPROVAL), asked.call, asked.ports)
    approved = list_plans(those(PlanStatus.APPROVED), asked.call, asked.ports)
    return plans_reply(waiting.data, approved.data)


def _plan(asked: Asked) -> Reply:
    return plan_reply(get_plan(asked.command.id, asked.call, asked.ports))


def _decide(asked: Asked) -> Reply:
    """Answer exactly the version whose digest the person saw the beginning of."""
    command = asked.command
    digest = _digest_meant(asked)
    said = SAID[command.deed]

    def also(approval: Approval, work: ApprovalWork) -> None:
        if asked.told is not None:
            asked.told(decided_reply(approval, said), work)

    answer = DecideApproval(plan_id=command.id, status=said, digest=digest, note=command.words)
    return decided_reply(decide_approval(answer, asked.call, asked.ports, also=also), said)


def _digest_meant(asked: Asked) -> str:
    """Return the whole digest of a plan, if it begins as the person said; what changes after is seen by who decides."""
    with asked.ports.begin(asked.call) as work:
        digest = work.plans.get(asked.command.id).digest
    if not digest.removeprefix("sha256:").startswith(asked.command.digest):
        raise PlanChanged("this plan changed, or that is not its digest: look at it again", plan_id=asked.command.id)
    return digest


def _execute(asked: Asked) -> Reply:
    begun = execute_plan(asked.command.id, ExecutePlan(), asked.call, asked.ports)
    return execution_reply(get_execution(begun.id, asked.call, asked.ports))


def _cancel_plan(asked: Asked) -> Reply:
    reason = asked.command.words or f"cancelled in Slack by {asked.call.actor.id}"
    gone = cancel_plan(asked.command.id, CancelPlan(reason=reason[:200]), asked.call, asked.ports)
    return Reply(title=f"Taken back: {gone.summary}", facts={"plan": gone.plan_id, "status": gone.status.value})


def _cancel_execution(asked: Asked) -> Reply:
    state = cancel_execution(asked.command.id, CancelExecution(note=asked.command.words), asked.call, asked.ports)
    facts = {"execution": state.id, "status": state.status.value}
    after = "undone" if state.cancel_undo else "kept, for it goes back on another run"
    return Reply(title=f"It stops, and what was done is {after}", facts=facts)


def _execution(asked: Asked) -> Reply:
    return execution_reply(get_execution(asked.command.id, asked.call, asked.ports))


_look = partial(Deed, changes=False)
DEEDS: Final[Mapping[str, Deed]] = {
    "plans": _look("plan:read", "GET /v1/plans", _plans),
    "plan": _look("plan:read", "GET /v1/plans/{plan_id}", _plan),
    "status plan": _look("plan:read", "GET /v1/plans/{plan_id}", _plan),
    "status execution": _look("execution:read", "GET /v1/executions/{execution_id}", _execution),
    "approve": Deed("approval:decide", "POST /v1/approvals", _decide, lends=True),
    "deny": Deed("approval:decide", "POST /v1/approvals", _decide, lends=True),
    "execute": Deed("plan:execute", "POST /v1/plans/{plan_id}:execute", _execute),
    "cancel plan": Deed("plan:cancel", "POST /v1/plans/{plan_id}:cancel", _cancel_plan),
    "cancel execution": Deed("execution:cancel", "POST /v1/executions/{execution_id}:cancel", _cancel_execution),
}
"""What asks for a permission; who says `help`, `link`, `unlink` or `whoami` needs none."""
