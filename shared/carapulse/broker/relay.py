"""From the table of messages to a broker: what a transaction wrote is published after its commit, or by the sweeper."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from carapulse.broker.envelope import sealed
from carapulse.broker.ports import Broker, Outbox, Parcel, Ready
from carapulse.kernel.errors import Unavailable
from carapulse.kernel.sealing import Marker
from carapulse.metrics import Count
from carapulse.observe import get_logger

log = get_logger(__name__)
_AT_ONCE: Final = 10  # as many as SQS takes in one request

PUBLISHED = Count("carapulse_messages_published_total", "Messages that a broker took", {"queue": None})
NOT_PUBLISHED = Count("carapulse_messages_not_published_total", "Times that a broker did not take a message")


@dataclass(frozen=True)
class Relay:
    """Publishes messages. If it stops half way, another publishes what is left; one may be published twice."""

    outbox: Outbox
    broker: Broker
    marker: Marker
    queues: Sequence[str]

    def run(self) -> int:
        """Publish all that is due, and what will be within the broker's own delay; return how many the broker took."""
        taken = 0
        while messages := self.outbox.ready(self.queues, _AT_ONCE, self.broker.longest_delay_s):
            sent = self._send(messages)
            taken += sent
            if sent < len(messages):
                break  # the broker is not well: the next minute is soon enough
        return taken

    def after_commit(self) -> None:
        """Publish what was just committed. A broker that is away harms nothing: the sweeper comes every minute."""
        try:
            self.run()
        except Unavailable as problem:
            log.warning("messages_not_published", detail=problem.detail)

    def _send(self, messages: Sequence[Ready]) -> int:
        parcels = [
            Parcel(each.id, each.queue, each.subject, sealed(each, self.marker), each.delay_s) for each in messages
        ]
        try:
            taken = self.broker.send(parcels)
        except Unavailable:
            NOT_PUBLISHED.add()
            self.outbox.put_back(messages)
            raise
        accepted = [each for each in messages if each.id in taken]
        self.outbox.published(accepted)
        for each in accepted:
            PUBLISHED.add(queue=each.queue)
        refused = [each for each in messages if each.id not in taken]
        if refused:
            NOT_PUBLISHED.add()
            log.warning("messages_refused_by_broker", count=len(refused))
            self.outbox.put_back(refused)
        return len(accepted)
