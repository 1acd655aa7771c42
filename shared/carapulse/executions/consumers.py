"""Messages that executions react to."""

from carapulse.executions.abandoning import abandon_execution
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.running import advance_execution
from carapulse.kernel.call import Call
from carapulse.messaging import Consumers

consumers = Consumers()


@consumers.on(AdvanceExecution)
def go_on(message: AdvanceExecution, call: Call, ports: ExecutionPorts) -> None:
    """Do what comes next. Repeated: the second finds that it is being done, or is done, and does nothing."""
    advance_execution(message, call, ports)


@consumers.on_giving_up(AdvanceExecution)
def settle_without_worker(message: AdvanceExecution, reason: str, call: Call, ports: ExecutionPorts) -> None:
    """End an attempt that nothing can make, so that its execution goes on. Repeated: the attempt has ended by then."""
    abandon_execution(message, reason, call, ports)
