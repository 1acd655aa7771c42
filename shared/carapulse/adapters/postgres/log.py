"""Appending to the event log: read the stream's head under its lock, chain, write."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, insert, text, update

from carapulse.audit.chain import seal
from carapulse.audit.model import Entry
from carapulse.audit.tables import events as events_table
from carapulse.audit.tables import streams
from carapulse.kernel.call import Call
from carapulse.kernel.event import Event
from carapulse.kernel.ids import new_id

_LOCK_HEAD = text(
    "INSERT INTO streams (tenant, stream, seq, hash) VALUES (:tenant, :stream, 0, '')"
    " ON CONFLICT (tenant, stream) DO UPDATE SET stream = excluded.stream RETURNING seq, hash"
)


def append(connection: Connection, call: Call, at: datetime, events: Sequence[tuple[str, Event]]) -> None:
    """Chain events onto their streams. Streams are locked in name order, so that two writers can't deadlock."""
    for stream, group in groupby(sorted(events, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        seq, head = connection.execute(_LOCK_HEAD, {"tenant": call.tenant, "stream": stream}).one()
        rows = []
        for _, event in group:
            seq += 1
            sealed = seal(_entry(call, at, event, stream=stream, seq=seq, prev=head))
            head = sealed.hash
            rows.append(dict(sealed))
        connection.execute(insert(events_table), rows)
        query = update(streams).where(streams.c.tenant == call.tenant, streams.c.stream == stream)
        connection.execute(query.values(seq=seq, hash=head))


def _entry(call: Call, at: datetime, event: Event, **place: Any) -> Entry:  # noqa: ANN401 - stream, seq and prev
    return Entry(
        tenant=call.tenant,
        id=new_id("event"),
        type=event.type,
        at=at,
        actor=call.actor.id,
        trace=call.trace,
        body=event.model_dump(mode="json"),
        **place,
    )
