"""Appending to the event log: read the stream's head under its lock, chain, write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

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


@dataclass(frozen=True)
class Recorded:
    """A fact on its way into a stream, and when it happened."""

    stream: str
    event: Event
    at: datetime


def append(connection: Connection, call: Call, recorded: Sequence[Recorded]) -> None:
    """Chain events onto their streams. Streams are locked in name order, so that two writers can't deadlock."""
    for stream, group in groupby(sorted(recorded, key=_stream), key=_stream):
        seq, head = connection.execute(_LOCK_HEAD, {"tenant": call.tenant, "stream": stream}).one()
        rows = []
        for each in group:
            seq += 1
            sealed = seal(_entry(call, each, seq=seq, prev=head))
            head = sealed.hash
            rows.append(dict(sealed))
        connection.execute(insert(events_table), rows)
        query = update(streams).where(streams.c.tenant == call.tenant, streams.c.stream == stream)
        connection.execute(query.values(seq=seq, hash=head))


def _stream(recorded: Recorded) -> str:
    return recorded.stream


def _entry(call: Call, recorded: Recorded, *, seq: int, prev: str) -> Entry:
    return Entry(
        tenant=call.tenant,
        stream=recorded.stream,
        seq=seq,
        id=new_id("event"),
        type=recorded.event.type,
        at=recorded.at,
        actor=call.actor.id,
        trace=call.trace,
        body=recorded.event.model_dump(mode="json"),
        prev=prev,
    )
