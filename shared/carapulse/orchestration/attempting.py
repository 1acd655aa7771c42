"""A step that a machine has attempted: by the same worker as on every queue, but this step and no other."""

from carapulse.executions.abandoning import abandon_execution
from carapulse.executions.errors import StepBusy
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import ExecutionState, StepStatus
from carapulse.executions.running import advance_execution
from carapulse.kernel.call import Call
from carapulse.orchestration.beating import beating, listens
from carapulse.orchestration.conducting import is_of
from carapulse.orchestration.errors import StepNotOfChange
from carapulse.orchestration.messages import AttemptAsked
from carapulse.orchestration.model import TurnTold
from carapulse.orchestration.ports import OrchestrationPorts
from carapulse.orchestration.ringing import PURPOSE, refuse, ring, tell
from carapulse.orchestration.standing import standing_of


def attempt_step(message: AttemptAsked, call: Call, ports: OrchestrationPorts) -> None:
    """Make an attempt if one is due, tell the machine what it does with the step next, and ring wherever it stands.

    Raises StepNotOfChange, for what a machine says is believed as to its change alone; and StepBusy while another
    worker is at the step: that one, or whoever takes it over, tells the machine, if it still listens by then.
    """
    step = message.step
    with ports.begin(call) as work:
        state = work.executions.get(step.execution_id)
    if not _has(state, message):
        raise StepNotOfChange("the machine asks for a step that its change doesn't have", step_id=step.step_id)
    own = call.model_copy(update={"actor": state.requested_by})
    token = ports.sealer.open(message.token, PURPOSE)
    try:
        with beating(token, ports.settings.visibility_s / 3, ports.machines):
            advance = AdvanceExecution(execution_id=step.execution_id)
            advance_execution(advance, own, ports, only=(step.step_id, step.phase))
        told = _told(message, call, ports)
    except StepBusy:
        if listens(token, ports.machines):
            raise
        return  # it has asked again since: each question that nobody waits for would be looked into until the step ends
    tell(message.token, told, ports)
    ring(state.plan_id, call, ports)


def abandon_attempt(message: AttemptAsked, reason: str, call: Call, ports: OrchestrationPorts) -> None:
    """End the attempt that nothing can make, truthfully, and have the machine go on."""
    with ports.begin(call) as work:
        state = work.executions.get(message.step.execution_id)
    if not _has(state, message):
        refuse(message.token, "Invalid", reason, ports)
        return
    step, own = message.step, call.model_copy(update={"actor": state.requested_by})
    advance = AdvanceExecution(execution_id=step.execution_id)
    abandon_execution(advance, reason, own, ports, only=(step.step_id, step.phase))
    tell(message.token, _told(message, call, ports), ports)
    ring(message.change.plan_id, call, ports)


def _has(state: ExecutionState, message: AttemptAsked) -> bool:
    """Return whether the step is one of the change that the machine was given."""
    return state.plan_id == message.change.plan_id and not state.dry_run and is_of(message.step, state)


def _told(message: AttemptAsked, call: Call, ports: OrchestrationPorts) -> TurnTold:
    step = message.step
    with ports.begin(call) as work:
        standing = standing_of(message.change.plan_id, work, ports.settings.visibility_s)
    if standing.state is not None and standing.state.step(step.step_id).part(step.phase).status is StepStatus.RUNNING:
        raise StepBusy("another worker is at it", execution_id=step.execution_id)
    return standing.turn(step)
