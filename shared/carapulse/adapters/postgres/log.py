"""Appending to the event log: read the stream's head under its lock, chain, write."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, text

from carapulse.audit.chain import sealed_row
from carapulse.audit.tables import events as events_table
from carapulse.kernel.call import Call
from carapulse.kernel.event import Event

_LOCK_HEAD = text(
    "INSERT INTO streams (tenant, stream, seq, hash) VALUES (:tenant, :stream, 0, '')"
    " ON CONFLICT (tenant, stream) DO UPDATE SET stream = excluded.stream RETURNING seq, hash"
)
_TYPES = {"seq": "bigint", "at": "timestamptz", "body": "jsonb"}
_WRITTEN = [column.name for column in events_table.c if column.name != "position"]
_NAMES, _GIVEN = ", ".join(_WRITTEN), ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _WRITTEN)
_APPEND = text(
    f"WITH appended AS (INSERT INTO events ({_NAMES})"  # noqa: S608 - our own names
    f" SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given({_GIVEN}) ORDER BY seq)"
    " UPDATE streams SET seq = :seq, hash = :hash WHERE tenant = :tenant AND stream = :stream"
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
            row = sealed_row(each.event, stream, call, each.at, (seq + 1, head))
            seq, head = row["seq"], row["hash"]
            rows.append({**row, "at": each.at.isoformat()})
        moved = {"tenant": call.tenant, "stream": stream, "seq": seq, "hash": head}
        connection.execute(_APPEND, {"rows": json.dumps(rows), **moved})


def _stream(recorded: Recorded) -> str:
    return recorded.stream
