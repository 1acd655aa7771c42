"""Taking a plan back that waits, and putting one away that is over."""

from carapulse.kernel.call import Call
from carapulse.observe import get_logger
from carapulse.plans.events import PlanArchived, PlanCancelled
from carapulse.plans.ports import PlanPorts
from carapulse.plans.requests import CancelPlan
from carapulse.plans.views import PlanSummary

log = get_logger(__name__)


def cancel_plan(plan_id: str, command: CancelPlan, call: Call, ports: PlanPorts) -> PlanSummary:
    """Take a plan back that waits for an answer or to be executed, and the question about it with it.

    What is being executed is not taken back but stopped: PlanBusy names the execution, which is cancelled by itself,
    with a permission of its own and a choice about what was done.
    """
    with ports.begin(call) as work:
        cancelled = work.plans.lock(plan_id).cancelled()
        work.plans.replace(cancelled)
        ports.envelopes.withdraw(cancelled, work, ports.clock.now())
        work.record(plan_id, PlanCancelled(plan_id=plan_id, reason=command.reason))
    log.info("plan_cancelled", plan_id=plan_id)
    return PlanSummary.of(cancelled)


def archive_plan(plan_id: str, call: Call, ports: PlanPorts) -> PlanSummary:
    """Put a plan away that is over. One that is put away already stays as it is."""
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        if plan.archived_at is not None:
            return PlanSummary.of(plan)
        archived = plan.archived(ports.clock.now())
        work.plans.replace(archived)
        work.record(plan_id, PlanArchived(plan_id=plan_id))
    log.info("plan_archived", plan_id=plan_id)
    return PlanSummary.of(archived)
