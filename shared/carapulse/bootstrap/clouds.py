"""What brings messages and carries changes in a cloud, for an installation that chose it.

Each is imported where it is chosen: it takes longer to import than everything else together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carapulse.broker.ports import Broker
    from carapulse.orchestration.ports import Machines
    from carapulse.settings import Settings


def broker_of(settings: Settings) -> Broker | None:
    """Return who brings messages, or None where workers take them from the database."""
    if settings.queue == "sqs":
        from carapulse.adapters.aws.sqs import Sqs

        return Sqs.connect(settings.queue_addresses)
    if settings.queue == "pubsub":
        from carapulse.adapters.gcp.pubsub import PubSub

        return PubSub.connect(settings.queue_addresses)
    return None


def machines_of(settings: Settings) -> Machines | None:
    """Return the state machines that carry changes, or None where messages do that alone."""
    if settings.state_machine is None:
        return None
    from carapulse.adapters.aws.step_functions import StepFunctions

    return StepFunctions.connect(settings.state_machine)
