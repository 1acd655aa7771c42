"""Who reacts to what moves changes on: workers alone, or a state machine and those that it sends work."""

from carapulse.executions.consumers import consumers as executions
from carapulse.messaging import Consumers
from carapulse.settings import Orchestrator


def carriers(orchestrator: Orchestrator) -> list[Consumers]:
    """Return the handlers of messages about executions, for an orchestrator."""
    if orchestrator == "queue":
        return [executions]
    from carapulse.orchestration.consumers import plans, steps  # noqa: PLC0415 - only where a machine carries changes

    return [steps, plans]
