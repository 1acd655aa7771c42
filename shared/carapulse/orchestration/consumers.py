"""Messages that carry a change by a state machine."""

from carapulse.executions.abandoning import abandon_execution
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.running import advance_execution
from carapulse.kernel.call import Call
from carapulse.kernel.errors import NotFound
from carapulse.messaging import Consumers
from carapulse.observe import get_logger
from carapulse.orchestration.attempting import abandon_attempt, attempt_step
from carapulse.orchestration.machines import conduct_plan
from carapulse.orchestration.messages import AttemptAsked, ConductPlan, MachineAsked
from carapulse.orchestration.ports import OrchestrationPorts
from carapulse.orchestration.ringing import refuse
from carapulse.orchestration.telling import answer_machine
from carapulse.plans.errors import PlanNotFound

log = get_logger(__name__)
plans = Consumers()
"""What the function `orchestration` does."""

steps = Consumers()
"""What the function `execution` does where a machine carries changes."""


@plans.on(ConductPlan)
def conduct(message: ConductPlan, call: Call, ports: OrchestrationPorts) -> None:
    """Start or wake the plan's machine. Repeated: it runs, and nothing stands still for no reason."""
    try:
        conduct_plan(message, call.by_the_clock(), ports)
    except PlanNotFound:  # policy refused it: that is in the log, under the name of a plan that never was
        log.info("plan_never_was", plan_id=message.plan_id)


@plans.on(MachineAsked)
def answer(message: MachineAsked, call: Call, ports: OrchestrationPorts) -> None:
    """Tell a machine what is next. Repeated: it does not listen by that token any more."""
    try:
        answer_machine(message, call, ports)
    except NotFound as problem:
        refuse(message.token, "NotFound", problem.detail, ports)


@plans.on_giving_up(MachineAsked)
def leave_unanswered(message: MachineAsked, reason: str, call: Call, ports: OrchestrationPorts) -> None:  # noqa: ARG001 - as every such handler
    """Tell a machine that it gets no answer, so that it asks anew."""
    refuse(message.token, "GivenUp", reason, ports)


@steps.on(AttemptAsked)
def attempt(message: AttemptAsked, call: Call, ports: OrchestrationPorts) -> None:
    """Attempt a step. Repeated: nothing is due, and the machine is told what it knows already."""
    attempt_step(message, call, ports)


@steps.on_giving_up(AttemptAsked)
def give_attempt_up(message: AttemptAsked, reason: str, call: Call, ports: OrchestrationPorts) -> None:
    """End an attempt that nothing can make, so that its execution goes on. Repeated: it has ended by then."""
    abandon_attempt(message, reason, call, ports)


@steps.on(AdvanceExecution)
def go_on(message: AdvanceExecution, call: Call, ports: OrchestrationPorts) -> None:
    """Have the machine look again; a dry run has none and goes on by itself. Repeated: there is nothing to do."""
    with ports.begin(call.by_the_clock()) as work:
        state = work.executions.get(message.execution_id)
    if state.dry_run:
        advance_execution(message, call, ports)
    else:
        conduct_plan(ConductPlan(plan_id=state.plan_id), call.by_the_clock(), ports)


@steps.on_giving_up(AdvanceExecution)
def settle_without_worker(message: AdvanceExecution, reason: str, call: Call, ports: OrchestrationPorts) -> None:
    """End an attempt of a dry run that nothing can make; a machine gives up by itself what it had attempted."""
    with ports.begin(call.by_the_clock()) as work:
        state = work.executions.get(message.execution_id)
    if state.dry_run:
        abandon_execution(message, reason, call, ports)
