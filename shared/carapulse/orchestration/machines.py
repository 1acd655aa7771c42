"""The machines of a plan: the first is started when there is a plan, another one if one was lost."""

from datetime import timedelta
from typing import Final

from carapulse.executions.wishes import CancelExecution, cancel_execution
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger
from carapulse.orchestration.messages import ConductPlan
from carapulse.orchestration.model import AWAITED, Change, Machine, MachineStatus
from carapulse.orchestration.ports import OrchestrationPorts
from carapulse.orchestration.reference import reference
from carapulse.orchestration.ringing import ring
from carapulse.orchestration.standing import Standing, standing_of
from carapulse.plans.ending import cancel_plan
from carapulse.plans.requests import CancelPlan

log = get_logger(__name__)
_MOST_AT_ONCE: Final = 50
_LONGEST_PAUSE_S: Final = 3600
_OVER: Final = "its change is over; the change's event log says how it ended"
_PATIENCE: Final = timedelta(minutes=15)
_UNHEARD: Final = "what it asked was lost"
_STOPPED: Final = "its state machine was stopped from outside"


def conduct_plan(message: ConductPlan, call: Call, ports: OrchestrationPorts) -> None:
    """Start the machine of a plan that has none, or have the one go on that it has.

    Repeated, the machine is started under the same name, which is no second one.
    """
    with ports.begin(call) as work:
        last = work.machines.latest(message.plan_id)
        standing = standing_of(message.plan_id, work, ports.settings.visibility_s)
        machine = _machine(last, standing, call)
        if machine is not None and machine is not last:
            work.machines.add(machine, ports.sealer.newest)
    if machine is not None and not machine.started:
        _start(machine, call, ports)
    ring(message.plan_id, call, ports)
    if last is not None and not last.ended and last.generation == message.ended:
        _look_after(last.change(call.tenant), call, ports)


def look_after_machines(call: Call, ports: OrchestrationPorts) -> int:
    """Look whether machines that nobody saw end still run, and return how many were looked at."""
    changes = ports.machine_book.to_look_after(_MOST_AT_ONCE)
    for change in changes:
        try:
            _look_after(change, call.model_copy(update={"tenant": change.tenant, "trace": change.trace}), ports)
        except Problem as problem:  # one machine is not to keep the others, of every tenant, from being looked after
            log.warning("machine_not_looked_after", plan_id=change.plan_id, code=problem.code, detail=problem.detail)
    return len(changes)


def _machine(last: Machine | None, standing: Standing, call: Call) -> Machine | None:
    """Return the machine that is to carry the plan; None if nothing is to come any more."""
    if last is not None and not last.ended:
        return last
    if standing.is_over:
        return None
    generation = 1 if last is None else last.generation + 1
    trace = call.trace if last is None else last.trace
    return Machine(plan_id=standing.plan.id, generation=generation, trace=trace, started=False, ended=False)


def _start(machine: Machine, call: Call, ports: OrchestrationPorts) -> None:
    change = machine.change(call.tenant)
    ports.machines.start(reference(change, ports.sealer), change.name)
    with ports.begin(call) as work:
        work.machines.started(machine.plan_id, machine.generation, ports.sealer.newest)
    log.info("machine_started", plan_id=machine.plan_id, generation=machine.generation)


def _look_after(change: Change, call: Call, ports: OrchestrationPorts) -> None:
    """Have a machine go on that runs. One that was stopped is a wish to cancel; whatever else ended is replaced."""
    status = ports.machines.status(change.name)
    if status is MachineStatus.RUNNING:
        if not ring(change.plan_id, call, ports):
            _let_unheard_go(change, call, ports)
        return
    with ports.begin(call) as work:
        standing = standing_of(change.plan_id, work, ports.settings.visibility_s)
    if not standing.is_over:
        log.warning("machine_lost", plan_id=change.plan_id, generation=change.generation, status=status)
    if status is MachineStatus.ABORTED and not standing.is_over:
        _cancel(standing, call, ports)
    with ports.begin(call) as work:
        if work.machines.ended(change.plan_id, change.generation):
            pause_s = min(_LONGEST_PAUSE_S, 2 ** min(change.generation, 12) - 2)
            work.send(ConductPlan(plan_id=change.plan_id), delay_s=pause_s)


def _let_unheard_go(change: Change, call: Call, ports: OrchestrationPorts) -> None:
    """Stop a machine that goes on and stands nowhere, because what it asked, or was told, is lost.

    One whose change is long over is noted as ended once it is stopped, or it would never be. One that should stand
    before people is noted before, and replaced: the cloud's word of the stop is nobody's wish to cancel then.
    """
    with ports.begin(call) as work:
        if work.machines.standing(change.plan_id):
            return
        standing = standing_of(change.plan_id, work, ports.settings.visibility_s)
        is_over = standing.is_long_over
        if not is_over:
            if not _is_lost(change, work.machines.latest(change.plan_id), standing):
                return
            work.machines.ended(change.plan_id, change.generation)
            work.send(ConductPlan(plan_id=change.plan_id))
    ports.machines.stop(change.name, _OVER if is_over else _UNHEARD)
    if is_over:
        with ports.begin(call) as work:
            work.machines.ended(change.plan_id, change.generation)
    log.warning("machine_stopped", plan_id=change.plan_id, generation=change.generation, is_over=is_over)


def _is_lost(change: Change, machine: Machine | None, standing: Standing) -> bool:
    """Return whether a machine should stand before people by now, if it had been heard."""
    if machine is None or machine.ended or machine.generation != change.generation or machine.moved_at is None:
        return False
    return standing.next.next in AWAITED and standing.at - machine.moved_at > _PATIENCE


def _cancel(standing: Standing, call: Call, ports: OrchestrationPorts) -> None:
    own = call.model_copy(update={"actor": Actor(id="state-machine", kind="service")})
    if standing.state is None:
        cancel_plan(standing.plan.id, CancelPlan(reason=_STOPPED), own, ports)
    elif standing.state.cancel_undo is None:  # who cancelled it before has said what is to be undone
        cancel_execution(standing.state.id, CancelExecution(note=_STOPPED), own, ports)
