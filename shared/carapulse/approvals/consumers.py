"""Messages that approvals react to."""

from carapulse.approvals.messages import ExpireApproval
from carapulse.approvals.ports import ApprovalPorts
from carapulse.approvals.usecases import expire_approval
from carapulse.kernel.call import Call
from carapulse.messaging import Consumers

consumers = Consumers()


@consumers.on(ExpireApproval)
def expire(message: ExpireApproval, call: Call, ports: ApprovalPorts) -> None:
    """Close what nobody answered, or used, in time."""
    expire_approval(message, call, ports)
