"""What begins an execution, and what looks after it. What people may ask of one meanwhile is in wishes.py."""

from datetime import timedelta

from pydantic import Field

from carapulse.approvals.usecases import consume_approval
from carapulse.executions.applying import begin
from carapulse.executions.drafts import messages_for
from carapulse.executions.events import ExecutionStarted
from carapulse.executions.lifecycle import advance
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import ExecutionState, StepFacts
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.executions.rechecking import check_tools
from carapulse.executions.timing import look_at
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.plans.errors import PlanChanged
from carapulse.plans.judging import policy_input
from carapulse.plans.model import Plan, PlanVersion
from carapulse.policy.document import Action
from carapulse.policy.model import PolicyDecided
from carapulse.policy.usecases import enforce, judge

_MOST_AT_ONCE = 500


class ExecutePlan(Record):
    """Execute a plan that may be executed, exactly as it was judged."""

    digest: str | None = Field(None, description="if given, the digest that the caller means; another is a conflict")


def execute_plan(plan_id: str, command: ExecutePlan, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Begin the one execution of a plan: judged again, approval used up, targets locked, first step on its way."""
    with ports.begin(call) as work:
        plan = work.plans.get(plan_id)
        version = work.plans.version(plan_id, plan.version)
        approval = work.approvals.latest_for(plan_id)
    if command.digest not in {None, version.digest}:
        raise PlanChanged("the plan is not the one that was meant", plan_id=plan_id, digest=version.digest)
    check_tools(version, ports)
    action, allowed = Action(name="plan.execute", type="write"), ports.settings.self_approval_environments
    asked = policy_input(version, call, action, at=ports.clock.now(), self_approval_environments=allowed)
    decision = judge(asked, ports.policy)
    decided, approvals = PolicyDecided.of(decision, asked), approval.granted if approval else 0
    if not decision.permits(approvals=approvals):
        with ports.begin(call) as work:
            work.record(plan_id, decided)
        enforce(decision, approvals=approvals)
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        work.record(plan_id, decided)
        return _start(work, plan, version, call)


def look_after_overdue(call: Call, ports: ExecutionPorts) -> int:
    """Go on with every execution that waited for the clock, or whose worker never came back; return how many.

    Each goes on as its requester's, in its own tenant, whoever asks.
    """
    overdue = ports.journal.overdue(_MOST_AT_ONCE)
    for each in overdue:
        own = call.model_copy(update={"tenant": each.tenant, "actor": each.requested_by})
        with ports.begin(own) as work:
            work.send(AdvanceExecution(execution_id=each.execution_id))
    return len(overdue)


def _start(work: ExecutionWork, plan: Plan, version: PlanVersion, call: Call) -> ExecutionState:
    execution_id = new_id("exec")
    executing = plan.executing(execution_id, version.digest)
    approval = consume_approval(plan, execution_id, work, work.now())
    at = work.now()
    event = ExecutionStarted(
        execution_id=execution_id,
        plan_id=plan.id,
        plan_version=version.version,
        digest=version.digest,
        approval_id=approval.id if approval else None,
        requested_by=call.actor,
        deadline_at=at + timedelta(seconds=version.constraints.deadline_s),
        steps=_facts(version),
        hold=version.constraints.on_failure == "hold",
        max_concurrency=version.constraints.max_concurrency,
        groups=version.groups,
    )
    state = begin(event, work.record(plan.id, event))
    starts = advance(state, at).starts
    work.executions.add(state, look_at=look_at(state, starts, at))
    if version.mutating:
        work.executions.lock_targets(execution_id, version.locks)
    work.plans.replace(executing)
    for message, delay in messages_for(state, starts, at):
        work.send(message, delay_s=delay)
    return state


def _facts(version: PlanVersion) -> tuple[StepFacts, ...]:
    return tuple(
        StepFacts(
            id=step.id,
            stage=step.stage,
            position=step.position,
            depends_on=step.depends_on,
            writes=step.mutating,
            undoable=step.undo is not None,
            targets=step.targets,
            group=step.group,
        )
        for step in version.steps
    )
