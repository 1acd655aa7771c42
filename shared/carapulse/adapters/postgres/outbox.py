"""The table of messages as publishers and consumers of a broker use it: rows are the truth, the broker a doorbell."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.queue import Delivery, delivery_of
from carapulse.broker.ports import Ready

_SENDING_S: Final = 60.0  # a publisher that needs longer than this to send is taken for gone
LOST_AFTER_S: Final = 3600.0
"""Seconds after which a message that was published and never answered is published again."""

_AGAIN_S: Final = 5.0
_READY = (
    "SELECT id, CAST(receipt AS text), tenant, queue, type, subject, trace, created_at, delay_s"
    " FROM messages_to_publish(:queues, CAST(:how_many AS integer), make_interval(secs => :ahead_s),"
    " make_interval(secs => :hidden_s))"
)
_SETTLE = (
    "SELECT settle_published(:sent, CAST(:receipts AS uuid[]), make_interval(secs => :hidden_s),"
    " CAST(:taken AS boolean))"
)
_DELIVERY = (
    "SELECT id, CAST(receipt AS text), tenant, queue, type, CAST(body AS text), CAST(actor AS text), trace, attempts,"
    " created_at FROM "
)
_CLAIM = _DELIVERY + "claim_message(:tenant, :id, CAST(:receipt AS uuid), make_interval(secs => :hidden_s))"
_ENTER = _DELIVERY + (
    "enter_message(:tenant, :id, CAST(:receipt AS uuid), CAST(:content AS jsonb), make_interval(secs => :hidden_s))"
)


@dataclass(frozen=True)
class PostgresOutbox:
    """Publishes and claims, each in a transaction of its own."""

    direct: Direct

    def ready(self, queues: Collection[str], how_many: int, ahead_s: float) -> list[Ready]:
        """Take messages that are due, or will be within so many seconds, so that no other publisher takes them."""
        given = {"queues": list(queues), "how_many": how_many, "ahead_s": ahead_s, "hidden_s": _SENDING_S}
        return [Ready(*row) for row in self.direct.run(_READY, **given)]

    def published(self, messages: Sequence[Ready]) -> None:
        """Leave alone what a broker has now, for as long as it may need to deliver it."""
        self._settle(messages, LOST_AFTER_S, taken=True)

    def put_back(self, messages: Sequence[Ready]) -> None:
        """Give back what no broker took; it is due again in a moment."""
        self._settle(messages, _AGAIN_S, taken=False)

    def claim(self, tenant: str, message_id: str, receipt: str, hidden_s: float) -> Delivery | None:
        """Return what a published message asks for; None if it was done, given up, or published anew meanwhile."""
        given = {"tenant": tenant, "id": message_id, "receipt": receipt, "hidden_s": hidden_s}
        rows = self.direct.run(_CLAIM, **given)
        return delivery_of(rows[0]) if rows else None

    def enter(
        self, tenant: str, message_id: str, receipt: str, content: dict[str, Any], hidden_s: float
    ) -> Delivery | None:
        """Keep a message that somebody else sent, and hand it out at once; None if it was handed out differently.

        The content has `queue`, `type`, `body`, `actor` and `trace`. Sent again, it is the same message.
        """
        given = {"tenant": tenant, "id": message_id, "receipt": receipt, "hidden_s": hidden_s}
        rows = self.direct.run(_ENTER, **given, content=json.dumps(content))
        return delivery_of(rows[0]) if rows else None

    def _settle(self, messages: Sequence[Ready], hidden_s: float, *, taken: bool) -> None:
        if messages:
            ids, receipts = [each.id for each in messages], [each.receipt for each in messages]
            self.direct.run(_SETTLE, sent=ids, receipts=receipts, hidden_s=hidden_s, taken=taken)
