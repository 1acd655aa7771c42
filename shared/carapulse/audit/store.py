"""The log as evidence, in Postgres."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, select, text

from carapulse.audit.bundle import CoveredEvent, Evidence
from carapulse.audit.checkpoints import Checkpoint
from carapulse.audit.errors import NoSuchEvidence
from carapulse.audit.model import EventFilter, Head, SealedEntry
from carapulse.audit.tables import events, streams
from carapulse.kernel.cursor import CursorInvalid, Page, cursor_of, key_of
from carapulse.rows import corrupt_row, read_row

_ONE_AT_A_TIME = 0x_CA2A_0002  # key of the advisory lock
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_PATIENCE = text("SET LOCAL statement_timeout = '5min'")  # after a restore, the whole log is looked at once
_FRESH = text("SELECT position, hash, horizon::text, cluster FROM uncovered_events()")
_LAST = text("SELECT number, size, root, previous, at, note FROM checkpoints ORDER BY number DESC LIMIT 1")
_CHAIN = text(
    "SELECT number, size, root, previous, at, note FROM checkpoints"
    " WHERE number BETWEEN :first AND :last ORDER BY number"
)
_ADD = text(
    "INSERT INTO checkpoints (number, size, root, previous, at, note, horizon, cluster)"
    " VALUES (:number, :size, :root, :previous, :at, :note, CAST(:horizon AS xid8), :cluster)"
)
_COVER = text(
    "INSERT INTO checkpoint_leaves (position, checkpoint, leaf, hash)"
    " SELECT position, :number, leaf - 1, hash"
    " FROM unnest(CAST(:positions AS bigint[]), CAST(:hashes AS text[])) WITH ORDINALITY AS new (position, hash, leaf)"
)
_PLACES = text(
    "SELECT e.seq, l.checkpoint, l.leaf FROM events e JOIN checkpoint_leaves l ON l.position = e.position"
    " WHERE e.tenant = :tenant AND e.stream = :stream"
)
_LEAVES = text(
    "SELECT checkpoint, hash FROM checkpoint_leaves WHERE checkpoint = ANY (:numbers) ORDER BY checkpoint, leaf"
)
_MOMENT = text("SELECT pg_sleep(0.02)")
_ENTRY = [events.c[name] for name in SealedEntry.model_fields if name != "body"] + [
    cast(events.c.body, Text).label("body")
]
_EXACT = 2**53  # what RFC 8785 takes as an integer is below


@dataclass(frozen=True, slots=True)
class FreshEvents:
    """What the next checkpoint covers: every committed event below a horizon that no checkpoint covers yet."""

    positions: Sequence[int]
    hashes: Sequence[str]
    horizon: str
    cluster: int


@dataclass(frozen=True, slots=True)
class PostgresEvidence:
    """The log of one tenant, and everybody's checkpoints, within one transaction."""

    connection: Connection
    tenant: str

    def lock_checkpoints(self) -> None:
        """Be the only one who makes a checkpoint until the transaction ends."""
        self.connection.execute(_LOCK, {"key": _ONE_AT_A_TIME})

    def fresh(self) -> FreshEvents:
        """Return what the next checkpoint must cover."""
        self.connection.execute(_PATIENCE)
        rows = self.connection.execute(_FRESH).all()
        horizon, cluster = (rows[0].horizon, rows[0].cluster) if rows else ("0", 0)
        return FreshEvents([row.position for row in rows], [row.hash for row in rows], horizon, cluster)

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, if there is one."""
        row = self.connection.execute(_LAST).one_or_none()
        return None if row is None else _checkpoint(row)

    def add_checkpoint(self, checkpoint: Checkpoint, fresh: FreshEvents) -> None:
        """Keep a checkpoint and what it covers."""
        horizon = {"horizon": fresh.horizon, "cluster": fresh.cluster}
        self.connection.execute(_ADD, {**dict(checkpoint), **horizon})
        leaves = {"positions": list(fresh.positions), "hashes": list(fresh.hashes)}
        self.connection.execute(_COVER, {"number": checkpoint.number, **leaves})

    def head(self, stream: str) -> Head:
        """Return where a stream ends, or raise NoSuchEvidence."""
        query = select(streams.c.seq, streams.c.hash)
        query = query.where(streams.c.tenant == self.tenant, streams.c.stream == stream)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise NoSuchEvidence("nothing is known about this plan", plan_id=stream)
        return Head(stream=stream, count=row.seq, hash=row.hash)

    def evidence(self, head: Head) -> Evidence | None:
        """Return all evidence of a stream up to a head, or None while an event is not covered yet."""
        entries = self._entries().where(events.c.stream == head.stream, events.c.seq <= head.count)
        found = [_entry(row) for row in self.connection.execute(entries.order_by(events.c.seq))]
        rows = self.connection.execute(_PLACES, {"tenant": self.tenant, "stream": head.stream}).all()
        places = {row.seq: row for row in rows}
        if not found or any(entry.seq not in places for entry in found):
            return None
        covered = [
            CoveredEvent(event=entry, checkpoint=places[entry.seq].checkpoint, leaf=places[entry.seq].leaf)
            for entry in found
        ]
        numbers = sorted({one.checkpoint for one in covered})
        return Evidence(
            tenant=self.tenant,
            stream=head.stream,
            count=head.count,
            head=head.hash,
            events=tuple(covered),
            leaves=self._leaves(numbers),
            checkpoints=self._chain(numbers[0], numbers[-1]),
        )

    def wait_a_moment(self) -> None:
        """Give older transactions some milliseconds to end."""
        self.connection.execute(_MOMENT)

    def page(self, wanted: EventFilter) -> Page[SealedEntry]:
        """Return events, the newest first."""
        query = _filtered(self._entries().add_columns(events.c.position), wanted)
        rows = self.connection.execute(query.order_by(events.c.position.desc()).limit(wanted.limit + 1)).all()
        kept = rows[: wanted.limit]
        cursor = cursor_of(str(kept[-1].position)) if len(rows) > len(kept) else None
        return Page(data=tuple(_entry(row) for row in kept), next_cursor=cursor)

    def _entries(self) -> Select[Any]:
        return select(*_ENTRY).where(events.c.tenant == self.tenant)

    def _chain(self, first: int, last: int) -> tuple[Checkpoint, ...]:
        rows = self.connection.execute(_CHAIN, {"first": first, "last": last})
        return tuple(_checkpoint(row) for row in rows)

    def _leaves(self, numbers: list[int]) -> dict[int, tuple[str, ...]]:
        leaves: dict[int, list[str]] = {number: [] for number in numbers}
        for row in self.connection.execute(_LEAVES, {"numbers": numbers}):
            leaves[row.checkpoint].append(row.hash)
        return {number: tuple(hashes) for number, hashes in leaves.items()}


def _filtered(query: Select[Any], wanted: EventFilter) -> Select[Any]:
    equal = {"type": wanted.type, "actor": wanted.actor_id}
    for name, value in equal.items():
        if value is not None:
            query = query.where(events.c[name] == value)
    for stream in (wanted.stream, wanted.plan_id):
        if stream is not None:
            query = query.where(events.c.stream == stream)
    if wanted.since is not None:
        query = query.where(events.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(events.c.at < wanted.until)
    if (before := key_of(wanted.cursor)) is not None:
        query = query.where(events.c.position < _position(before))
    return query


def _position(key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) < 19):  # noqa: PLR2004 - digits of a bigint
        raise CursorInvalid("the cursor is not one that this list gave out")
    return int(key)


def _entry(row: Row[Any]) -> SealedEntry:
    fields = {name: getattr(row, name) for name in SealedEntry.model_fields}
    try:
        body = json.loads(row.body, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise corrupt_row("events", row.id, "its body is no JSON that Python can hold") from error
    return read_row(SealedEntry, fields | {"body": body}, table="events", row_id=row.id)


def _number(digits: str) -> float:
    """Read a large integer as the float that it was: Postgres writes 1e16 out, and larger integers are never logged."""
    number = int(digits)
    return number if abs(number) < _EXACT else float(digits)


def _checkpoint(row: Row[Any]) -> Checkpoint:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return read_row(Checkpoint, fields, table="checkpoints", row_id=str(row.number))
