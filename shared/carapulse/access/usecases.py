"""What can be asked about access. Nothing here changes anything."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from carapulse.access.errors import UnknownAction
from carapulse.access.model import JUDGED, Checked, PolicyAnswer, RoleAnswer, Somebody, StageAnswer, stage
from carapulse.access.ports import AccessPorts
from carapulse.approvals.judging import told_of
from carapulse.approvals.model import Approval, Delegation
from carapulse.approvals.ports import ApprovalWork
from carapulse.identity.errors import PersonRequired, RoleRequired, ScopeExceeded
from carapulse.identity.permissions import PERMISSIONS, Permission, refusals, require
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.context import Context
from carapulse.kernel.record import Record
from carapulse.plans.judging import asked_now
from carapulse.plans.model import PlanVersion
from carapulse.policy.usecases import judge

_BY_ACTION = {action.name: permission for permission, action in JUDGED.items()}
_OUTSIDE = StageAnswer(allowed=False, reason="this is outside of the scope")


class CheckAccess(Record):
    """Ask whether somebody may do something: the caller, unless somebody else is named."""

    action: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z-]+[:.][a-z-]+$")] = Field(
        description="a permission, such as plan:execute, or the action that policy is asked about, plan.execute"
    )
    context: Context | None = Field(default=None, description="where; a plan says it by itself")
    plan_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    somebody: Somebody | None = Field(default=None, description="needs the permission authz:check-others")


def check_access(command: CheckAccess, call: Call, ports: AccessPorts) -> Checked:
    """Return whether somebody may do something, by the same functions that decide when it is done."""
    if command.somebody is not None:
        require(call, "authz:check-others")
    permission = _permission(command.action)
    actor = command.somebody.as_actor if command.somebody else call.actor
    version, approval = _plan(command, call, ports)
    lent = _lent(permission, approval, actor, at := ports.clock.now())
    refused = tuple(refusals(actor, permission, lent=frozenset({permission}) if lent else frozenset()))
    role = RoleAnswer.about(permission, stage(refused, RoleRequired))
    person = stage(refused, PersonRequired)
    scope = _scope(actor, version.context if version else command.context, stage(refused, ScopeExceeded))
    policy = None
    if version is not None and permission in JUDGED:
        judged, asker = JUDGED[permission], call.model_copy(update={"actor": actor})
        asked = asked_now(version, asker, judged, ports, at, lent_answer=told_of(lent))
        policy = PolicyAnswer.of(judge(asked, ports.policy), judged, _given(approval, version))
    allowed = all((role.allowed, person.allowed, scope.allowed, policy is None or policy.allowed))
    facts = {"role": role, "person": person, "scope": scope, "policy": policy}
    return Checked(allowed=allowed, actor=actor.id, permission=permission, **facts)


def _permission(action: str) -> Permission:
    name = _BY_ACTION.get(action, action)
    if name not in PERMISSIONS:
        raise UnknownAction("there is no such permission", action=action, known=sorted(PERMISSIONS | _BY_ACTION.keys()))
    return name


def _plan(command: CheckAccess, call: Call, ports: AccessPorts) -> tuple[PlanVersion | None, Approval | None]:
    """Return the plan as it is judged, and what people were asked about it; whoever asks must be able to see it."""
    if command.plan_id is None:
        return None, None
    work: ApprovalWork
    with ports.begin(call) as work:
        plan, version = work.plans.current(command.plan_id)
        return version, work.approvals.latest_for(plan.id)


def _given(approval: Approval | None, version: PlanVersion) -> int:
    return approval.granted if approval and approval.version == version.version else 0


def _lent(permission: Permission, approval: Approval | None, actor: Actor, at: datetime) -> Delegation | None:
    """Return the delegation by which somebody may answer, whatever their role."""
    return approval.lent_to(actor.id, at) if approval and permission == "approval:decide" else None


def _scope(actor: Actor, context: Context | None, said: StageAnswer) -> StageAnswer:
    """Return what the scope says of the permission and, where one is named, of the place."""
    if not said.allowed or context is None:
        return said
    place = {"environment": context.environment, "service": context.service, "cluster": context.cluster_id}
    return said if actor.scope.covers(**place) else _OUTSIDE
