"""Messages that executions react to."""

from carapulse.executions.abandoning import abandon_step
from carapulse.executions.messages import EndExecution, RunStep
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.stepping import run_step
from carapulse.executions.usecases import end_execution
from carapulse.kernel.call import Call
from carapulse.messaging import Consumers

consumers = Consumers()


@consumers.on(RunStep)
def make_attempt(message: RunStep, call: Call, ports: ExecutionPorts) -> None:
    """Make one attempt at one step. Repeated: the second finds the first one's intent or result and does nothing."""
    run_step(message, call, ports)


@consumers.on_giving_up(RunStep)
def settle_without_worker(message: RunStep, reason: str, call: Call, ports: ExecutionPorts) -> None:
    """End an attempt that nothing can make, so that its execution goes on. Repeated: the attempt has ended by then."""
    abandon_step(message, reason, call, ports)


@consumers.on(EndExecution)
def hold_to_deadline(message: EndExecution, call: Call, ports: ExecutionPorts) -> None:
    """End what takes too long. Repeated: the second finds the deadline noted."""
    end_execution(message, call, ports)
