"""The last check before a step that changes something: on every path, at the last moment, and no answer means no."""

from carapulse.approvals.model import Approval, still_valid
from carapulse.executions.attempts import Attempt
from carapulse.executions.errors import StepRefused
from carapulse.executions.events import Grant
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.kernel.call import Call
from carapulse.plans.judging import policy_input
from carapulse.plans.model import PlanVersion
from carapulse.policy.document import Action
from carapulse.policy.usecases import enforce, judge


def recheck(attempt: Attempt, call: Call, ports: ExecutionPorts) -> Grant | None:
    """Return why the step may go ahead, None for one that only reads; StepRefused or Denied if it may not.

    Asked again: the digest of what was approved, the tools' own digests, the approval, and policy with the plan's
    constraints at this moment, for whoever asked for the execution.
    """
    if not attempt.step.mutating:
        return None
    check_digests(attempt, ports)
    approval = attempt.approval
    _must_hold(approval, attempt.state, ports)
    stage = "undo" if attempt.message.phase == "undo" else attempt.step.stage.value
    action = Action(name="step.run", type="write", stage=stage)
    asker = call.model_copy(update={"actor": attempt.state.requested_by})
    allowed = ports.settings.self_approval_environments
    asked = policy_input(attempt.version, asker, action, at=ports.clock.now(), self_approval_environments=allowed)
    decision = judge(asked, ports.policy)
    enforce(decision, approvals=approval.granted if approval else 0)
    return Grant(
        decision_id=decision.id,
        outcome=decision.outcome,
        policy_digest=decision.policy_digest,
        input_digest=decision.input_digest,
    )


def check_tools(version: PlanVersion, ports: ExecutionPorts) -> None:
    """Raise StepRefused if a tool is no longer the one that was judged."""
    for tool, digest in version.tool_digests.items():
        if ports.catalogue.digest(tool) != digest:
            raise StepRefused("the tool has changed since the plan was judged", tool=tool)


def check_digests(attempt: Attempt, ports: ExecutionPorts) -> None:
    """Raise StepRefused if the plan, or a tool that it uses, is not what was approved."""
    if attempt.digest != attempt.state.digest:
        raise StepRefused("the plan is not the one that was approved", plan_id=attempt.state.plan_id)
    check_tools(attempt.version, ports)


def check_approval(work: ExecutionWork, state: ExecutionState, attempt: Attempt, ports: ExecutionPorts) -> None:
    """Raise StepRefused if the approval has been taken back; asked in the very write that lets the step begin."""
    if attempt.step.mutating and state.approval_id is not None:
        _must_hold(work.approvals.get(state.approval_id), state, ports)


def _must_hold(approval: Approval | None, state: ExecutionState, ports: ExecutionPorts) -> None:
    if approval is None or still_valid(approval, state.digest, ports.clock.now(), execution_id=state.id):
        return
    raise StepRefused("the approval no longer holds", approval_id=approval.id, status=approval.status)
