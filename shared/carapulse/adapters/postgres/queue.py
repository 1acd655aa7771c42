"""The queue on Postgres: messages are rows, taken with SKIP LOCKED, hidden while worked on, woken by NOTIFY."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import bind_tenant, translated
from carapulse.adapters.postgres.log import Recorded, append
from carapulse.deadletters.events import MessageBuried
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.message import Message
from carapulse.redaction import redacted_text
from carapulse.rows import json_or_text

CHANNEL = "carapulse_messages"
_GRAVEDIGGER = Actor(id="queue", kind="service")
_SEND = text(
    "WITH sent AS (INSERT INTO messages (id, tenant, queue, type, body, actor, trace, available_at)"
    " SELECT id, :tenant, queue, type, body, actor, trace, clock_timestamp() + make_interval(secs => delay_s)"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given"
    " (id text, queue text, type text, body jsonb, actor jsonb, trace text, delay_s double precision)"
    " RETURNING queue, available_at <= clock_timestamp() AS is_due)"
    " SELECT pg_notify(:channel, queue) FROM (SELECT DISTINCT queue FROM sent WHERE is_due) AS woken"
)
_TAKE = (
    "SELECT id, CAST(receipt AS text), tenant, queue, type, CAST(body AS text), CAST(actor AS text), trace, attempts,"
    " created_at FROM take_messages(:queues, CAST(:how_many AS integer), make_interval(secs => :visibility_s))"
)
_DUE = text("SELECT extract(epoch FROM next_message_due(:queues) - clock_timestamp())")
_ACK = "SELECT acknowledge_message(:tenant, :id, CAST(:receipt AS uuid))"
_EXTEND = text(
    "UPDATE messages SET available_at = clock_timestamp() + make_interval(secs => :delay_s)"
    " WHERE id = :id AND receipt = CAST(:receipt AS uuid)"
)
_RETRY = text(
    "UPDATE messages SET receipt = NULL, last_error = :reason,"
    " available_at = clock_timestamp() + make_interval(secs => :delay_s)"
    " WHERE id = :id AND receipt = CAST(:receipt AS uuid)"
)
_BURY = text(
    "UPDATE messages SET receipt = NULL, last_error = :reason, dead_at = clock_timestamp()"
    " WHERE id = :id AND receipt = CAST(:receipt AS uuid)"
)


@dataclass(frozen=True)
class Outgoing:
    """A message that waits to be written, and how long it is to stay hidden."""

    message: Message
    delay_s: float


@dataclass(frozen=True)
class Delivery:
    """One delivery of one message. The receipt is good for this delivery only. What is no JSON comes as text.

    A broker may have delivered it before under this receipt, and whoever got it never answered.
    """

    id: str
    receipt: str
    tenant: str
    queue: str
    type: str
    body: Any
    actor: Any
    trace: str
    attempts: int
    created_at: datetime
    unanswered: int = 0


_COLUMNS = tuple(name for name in Delivery.__dataclass_fields__ if name != "unanswered")


def send(connection: Connection, call: Call, outgoing: Sequence[Outgoing]) -> None:
    """Write messages, and wake whoever listens for those that can be taken as soon as they are committed."""
    if not outgoing:
        return
    actor = call.actor.model_dump(mode="json", exclude_defaults=True)
    rows = [
        {
            "id": new_id("message"),
            "queue": item.message.queue,
            "type": item.message.type,
            "body": item.message.model_dump(mode="json"),
            "actor": actor,
            "trace": call.trace,
            "delay_s": item.delay_s,
        }
        for item in outgoing
    ]
    connection.execute(_SEND, {"tenant": call.tenant, "rows": json.dumps(rows), "channel": CHANNEL})


@dataclass(frozen=True)
class PostgresQueue:
    """The receiving side. Every answer about a delivery names its receipt, so a late worker changes nothing."""

    engine: Engine
    direct: Direct

    def take(self, queues: Sequence[str], how_many: int, visibility_s: float) -> list[Delivery]:
        """Take due messages, hiding each for so many seconds."""
        parameters = {"queues": list(queues), "how_many": how_many, "visibility_s": visibility_s}
        return [delivery_of(row) for row in self.direct.run(_TAKE, **parameters)]

    def seconds_until_due(self, queues: Sequence[str]) -> float | None:
        """Return how long until the next message shows itself; None if there is none."""
        with translated(), self.engine.begin() as connection:
            seconds = connection.execute(_DUE, {"queues": list(queues)}).scalar_one()
        return None if seconds is None else float(seconds)

    def ack(self, delivery: Delivery) -> bool:
        """Say that the message is done with; False if this delivery had been given to somebody else."""
        ((done,),) = self.direct.run(_ACK, tenant=delivery.tenant, id=delivery.id, receipt=delivery.receipt)
        return bool(done)

    def extend(self, delivery: Delivery, visibility_s: float) -> bool:
        """Keep the message hidden for so many seconds more; False if it is no longer ours."""
        return self._answer(delivery, _EXTEND, delay_s=visibility_s)

    def retry(self, delivery: Delivery, reason: str, delay: timedelta) -> bool:
        """Give the message back, to be seen again after a delay."""
        return self._answer(delivery, _RETRY, reason=reason, delay_s=delay.total_seconds())

    def bury(self, delivery: Delivery, reason: str, at: datetime) -> bool:
        """Put the message among the dead letters, and into the log that it is there, in one write."""
        with translated(), self.engine.begin() as connection:
            buried = _execute(connection, _BURY, delivery, reason=reason)
            if buried:
                call = Call(actor=_GRAVEDIGGER, tenant=delivery.tenant, at=at, trace=delivery.trace)
                append(connection, call, [Recorded(delivery.id, _buried(delivery, reason), at)])
        return buried

    def _answer(self, delivery: Delivery, statement: Any, **parameters: object) -> bool:  # noqa: ANN401 - a text clause
        with translated(), self.engine.begin() as connection:
            return _execute(connection, statement, delivery, **parameters)


def _execute(connection: Connection, statement: Any, delivery: Delivery, **parameters: object) -> bool:  # noqa: ANN401 - a text clause
    """Answer a delivery, within its tenant; False if it is no longer the one that holds the message."""
    bind_tenant(connection, delivery.tenant)
    done = connection.execute(statement, {"id": delivery.id, "receipt": delivery.receipt, **parameters})
    return bool(done.rowcount)


def _buried(delivery: Delivery, reason: str) -> MessageBuried:
    return MessageBuried(
        message_id=delivery.id,
        queue=delivery.queue,
        message_type=delivery.type,
        reason=redacted_text(reason),  # the log never forgets
        attempts=delivery.attempts,
    )


def delivery_of(row: list[Any]) -> Delivery:
    """Return the delivery that a row of the table is; what is no JSON in it comes as text."""
    given = dict(zip(_COLUMNS, row, strict=True))
    return Delivery(**given | {"body": json_or_text(given["body"]), "actor": json_or_text(given["actor"])})
