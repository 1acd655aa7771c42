"""What a machine is told that asks, at once or once there is something to tell."""

from datetime import timedelta

from carapulse.executions.advancing import note_and_advance
from carapulse.executions.model import ExecutionState
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.observe import get_logger
from carapulse.orchestration.messages import MachineAsked
from carapulse.orchestration.model import BROKEN, Asked, Told, Wait
from carapulse.orchestration.ports import OrchestrationPorts
from carapulse.orchestration.ringing import tell
from carapulse.orchestration.standing import Standing, standing_of

log = get_logger(__name__)


def answer_machine(message: MachineAsked, call: Call, ports: OrchestrationPorts) -> None:
    """Tell a machine what is next, or keep where it stands until there is something to tell it."""
    if message.asked is Asked.DECIDE:
        told = _decided(message, call, ports)
        log.info("machine_told", plan_id=message.plan_id, next=told.next)
        tell(message.token, told, ports)
    elif not _stands(message, call, ports):
        tell(message.token, None, ports)


def _decided(message: MachineAsked, call: Call, ports: OrchestrationPorts) -> Told:
    """Return what is next, with everything written down by then that has come to pass by itself."""
    with ports.begin(call) as work:
        standing = standing_of(message.plan_id, work, ports.settings.visibility_s, locked=True)
        if not standing.is_behind:
            generation = message.change.generation
            if standing.is_over:
                work.machines.ended(message.plan_id, generation)
            elif not work.machines.moved(message.plan_id, generation):
                return Told(next=BROKEN)  # another one carries the change by now
            return standing.next
    if standing.state is not None:
        _write_down(standing.state, call, ports)
    return _decided(message, call, ports)


def _write_down(state: ExecutionState, call: Call, ports: OrchestrationPorts) -> None:
    """Write down what has come to pass by itself, in the name of whoever asked for the execution, as workers do."""
    with ports.begin(call.model_copy(update={"actor": state.requested_by})) as work:
        state = work.executions.lock(state.id)
        if not state.over:
            note_and_advance(work, state)


def _stands(message: MachineAsked, call: Call, ports: OrchestrationPorts) -> bool:
    """Keep where the machine stands, unless it may go on. Nothing can happen to the plan in between."""
    with ports.begin(call) as work:
        standing = standing_of(message.plan_id, work, ports.settings.visibility_s, locked=True)
        wait = _wait(message, standing)
        if standing.lets_go_on(wait):
            return False
        work.machines.stand(wait)
        return True


def _wait(message: MachineAsked, standing: Standing) -> Wait:
    wait_s = standing.next.wait_s if message.step is None else standing.turn(message.step).wait_s
    return Wait(
        id=f"wait_{digest(message.token)[-32:]}",
        plan_id=message.plan_id,
        asked=message.asked,
        step=message.step,
        token=message.token,
        until=standing.at + timedelta(seconds=wait_s),
    )
