"""What can be asked of executions. One function is one thing an operator can ask for."""

from datetime import timedelta

from pydantic import Field

from carapulse.approvals.usecases import consume_approval
from carapulse.executions.advancing import advance, note
from carapulse.executions.errors import ExecutionOver
from carapulse.executions.events import CancelRequested, DeadlinePassed, ExecutionStarted
from carapulse.executions.lifecycle import begin
from carapulse.executions.messages import EndExecution
from carapulse.executions.model import ExecutionState, StepFacts
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.executions.rechecking import check_tools
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.plans.errors import PlanChanged
from carapulse.plans.judging import policy_input
from carapulse.plans.model import Plan, PlanVersion
from carapulse.policy.document import Action
from carapulse.policy.model import PolicyDecided
from carapulse.policy.usecases import enforce, judge


class ExecutePlan(Record):
    """Execute a plan that may be executed, exactly as it was judged."""

    digest: str | None = Field(None, description="if given, the digest that the caller means; another is a conflict")


class CancelExecution(Record):
    """Stop an execution; what was done is undone unless the caller wants it kept."""

    undo: bool = True
    note: str | None = Field(None, max_length=2000)


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
    with ports.begin(call) as work:
        work.record(plan_id, PolicyDecided.of(decision, asked))
    enforce(decision, approvals=approval.granted if approval else 0)
    with ports.begin(call) as work:
        return _start(work, work.plans.lock(plan_id), version, call)


def cancel_execution(execution_id: str, command: CancelExecution, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Stop an execution that isn't over; running tools are ended, and the wish about undoing is kept."""
    with ports.begin(call) as work:
        state: ExecutionState = work.executions.lock(execution_id)
        if state.status.final:
            raise ExecutionOver("the execution is over", execution_id=execution_id, status=state.status)
        event = CancelRequested(execution_id=execution_id, undo=command.undo, note=command.note)
        return advance(work, note(work, state, event))


def end_execution(message: EndExecution, call: Call, ports: ExecutionPorts) -> None:
    """Hold an execution to its deadline; one that is over by then is left alone."""
    with ports.begin(call) as work:
        state = work.executions.lock(message.execution_id)
        if not state.status.final and not state.expired:
            advance(work, note(work, state, DeadlinePassed(execution_id=state.id)))


def _start(work: ExecutionWork, plan: Plan, version: PlanVersion, call: Call) -> ExecutionState:
    execution_id = new_id("exec")
    executing = plan.executing(execution_id, version.digest)
    approval = consume_approval(plan, execution_id, work, work.now())
    deadline_at = work.now() + timedelta(seconds=version.constraints.deadline_s)
    event = ExecutionStarted(
        execution_id=execution_id,
        plan_id=plan.id,
        plan_version=version.version,
        digest=version.digest,
        approval_id=approval.id if approval else None,
        requested_by=call.actor,
        deadline_at=deadline_at,
        steps=_facts(version),
    )
    state = begin(event, work.record(plan.id, event))
    work.executions.add(state)
    if version.mutating:
        work.executions.lock_targets(execution_id, version.locks)
    work.plans.replace(executing)
    work.send(EndExecution(execution_id=execution_id), delay_s=version.constraints.deadline_s)
    return advance(work, state)


def _facts(version: PlanVersion) -> tuple[StepFacts, ...]:
    return tuple(
        StepFacts(
            id=step.id,
            stage=step.stage,
            position=step.position,
            depends_on=step.depends_on,
            writes=step.mutating,
            undoable=step.undo is not None,
        )
        for step in version.steps
    )
