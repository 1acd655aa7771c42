"""Where a state machine of a cloud carries changes: what it sends is heard, and handled instead of our own bells."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from carapulse.adapters.postgres.outbox import PostgresOutbox
from carapulse.adapters.postgres.queue import Delivery
from carapulse.kernel.call import Actor
from carapulse.observe import get_logger
from carapulse.orchestration.ports import Keys
from carapulse.orchestration.reference import is_of_machine, said

log = get_logger(__name__)
_MACHINE: Final = Actor(id="state-machine", kind="service")


@dataclass(frozen=True)
class MachineEar:
    """Makes of what a machine says a message like every other, with a row of its own and all that this is good for."""

    outbox: PostgresOutbox
    keys: Keys

    def hears(self, document: Any) -> bool:  # noqa: ANN401 - any JSON value
        """Return whether a document claims to come from a machine."""
        return is_of_machine(document)

    def delivery(self, document: Any, hidden_s: float) -> Delivery | None:  # noqa: ANN401 - any JSON value
        """Return what it says as a delivery; None if that is done; MessageForged or MessageUnreadable if it is none."""
        heard = said(document, self.keys)
        content = {
            "queue": heard.message.queue,
            "type": heard.message.type,
            "body": heard.message.model_dump(mode="json"),
            "actor": _MACHINE.model_dump(mode="json", exclude_defaults=True),
            "trace": heard.change.trace,
        }
        receipt = str(uuid5(NAMESPACE_URL, heard.id))
        delivery = self.outbox.enter(heard.change.tenant, heard.id, receipt, content, hidden_s)
        if delivery is None:
            log.info("message_superseded", message_id=heard.id)
        return delivery
