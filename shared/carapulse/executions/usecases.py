"""What begins an execution, and what looks after it. What people may ask of one meanwhile is in wishes.py."""

from pydantic import Field

from carapulse.approvals.usecases import consume_approval
from carapulse.executions.applying import begin
from carapulse.executions.drafts import messages_for
from carapulse.executions.events import ExecutionStarted
from carapulse.executions.lifecycle import advance
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.executions.rechecking import check_tools
from carapulse.executions.starting import started, tried_out
from carapulse.executions.timing import look_at
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.plans.errors import PlanChanged
from carapulse.plans.judging import asked_now
from carapulse.plans.model import Plan, PlanVersion
from carapulse.policy.document import Action
from carapulse.policy.model import PolicyDecided
from carapulse.policy.usecases import enforce, judge

_EXECUTE = Action(name="plan.execute", type="write")
_DRY_RUN = Action(name="plan.dry_run", type="read")
_MOST_AT_ONCE = 500


class ExecutePlan(Record):
    """Execute a plan that may be executed, exactly as it was judged; or try it out, which changes nothing."""

    digest: str | None = Field(None, description="if given, the digest that the caller means; another is a conflict")
    dry_run: bool = Field(
        default=False, strict=True, description="read what it reads, and say what it would change; needs no approval"
    )


def execute_plan(plan_id: str, command: ExecutePlan, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Begin the one execution of a plan: judged again, approval used up, targets locked, first step on its way.

    A dry run is none of that: it uses nothing up, holds nothing, moves the plan nowhere, and there may be many.
    """
    with ports.begin(call) as work:
        plan, version = work.plans.current(plan_id)
        approval = work.approvals.latest_for(plan_id)
    if command.digest not in {None, version.digest}:
        raise PlanChanged("the plan is not the one that was meant", plan_id=plan_id, digest=version.digest)
    check_tools(version, ports)
    decided = _let_through(version, command, approval.granted if approval else 0, call, ports)
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        work.record(plan_id, decided)
        return _try_out(work, plan, version, call) if command.dry_run else _start(work, plan, version, call)


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


def _let_through(
    version: PlanVersion, command: ExecutePlan, approvals: int, call: Call, ports: ExecutionPorts
) -> PolicyDecided:
    """Return what policy said, if it lets this happen; otherwise record and raise it."""
    action = _DRY_RUN if command.dry_run else _EXECUTE
    asked = asked_now(version, call, action, ports, ports.clock.now())
    decision = judge(asked, ports.policy)
    decided = PolicyDecided.of(decision, asked)
    if not decision.permits(approvals=approvals):
        with ports.begin(call) as work:
            work.record(version.plan_id, decided)
        enforce(decision, approvals=approvals)
    return decided


def _start(work: ExecutionWork, plan: Plan, version: PlanVersion, call: Call) -> ExecutionState:
    execution_id = new_id("exec")
    executing = plan.executing(execution_id, version.digest)
    approval = consume_approval(plan, execution_id, work, work.now())
    event = started(execution_id, version, call, work.now(), approval_id=approval.id if approval else None)
    state = _begun(work, event)
    if version.mutating:
        work.executions.lock_targets(execution_id, version.locks)
    work.plans.replace(executing)
    return state


def _try_out(work: ExecutionWork, plan: Plan, version: PlanVersion, call: Call) -> ExecutionState:
    plan.may_be_tried_out(version.digest)
    return _begun(work, tried_out(new_id("exec"), version, call, work.now()))


def _begun(work: ExecutionWork, event: ExecutionStarted) -> ExecutionState:
    """Keep an execution that has just started, and send its first steps on their way."""
    at = work.now()
    state = begin(event, work.record(event.plan_id, event))
    starts = advance(state, at).starts
    work.executions.add(state, look_at=look_at(state, starts, at))
    for message, delay in messages_for(state, starts, at):
        work.send(message, delay_s=delay)
    return state
