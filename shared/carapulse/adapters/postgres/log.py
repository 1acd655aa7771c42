"""Appending to the event log: read the stream's head under its lock, chain, write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, insert, text

from carapulse.audit.chain import sealed_row
from carapulse.audit.tables import events as events_table
from carapulse.kernel.call import Call
from carapulse.kernel.event import Event

_LOCK_HEAD = text(
    "INSERT INTO streams (tenant, stream, seq, hash) VALUES (:tenant, :stream, 0, '')"
    " ON CONFLICT (tenant, stream) DO UPDATE SET stream = excluded.stream RETURNING seq, hash"
)
_APPEND = insert(events_table)
_MOVE_HEAD = text("UPDATE streams SET seq = :seq, hash = :hash WHERE tenant = :tenant AND stream = :stream")


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
            row = sealed_row(each.event, stream, call, each.at, (seq + 1, head))
            seq, head = row["seq"], row["hash"]
            rows.append({**row, "at": each.at})
        connection.execute(_APPEND, rows)
        connection.execute(_MOVE_HEAD, {"tenant": call.tenant, "stream": stream, "seq": seq, "hash": head})


def _stream(recorded: Recorded) -> str:
    return recorded.stream
