"""The log as evidence, in Postgres."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
)

from carapulse.audit.archives import Archive, PlacedEntry, Stretch
from carapulse.audit.bundle import CoveredEvent, Evidence
from carapulse.audit.chain import as_hashed
from carapulse.audit.checkpoints import Checkpoint
from carapulse.audit.errors import NoSuchEvidence
from carapulse.audit.model import EventFilter, EventQuery, Head, SealedEntry
from carapulse.audit.ports import Place
from carapulse.audit.tables import event_archives, events, streams
from carapulse.kernel.cursor import CursorInvalid, Page
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
_PLACES = text("SELECT position, checkpoint, leaf FROM checkpoint_leaves WHERE position = ANY (:positions)")
_LEAVES = text(
    "SELECT checkpoint, hash FROM checkpoint_leaves WHERE checkpoint = ANY (:numbers) ORDER BY checkpoint, leaf"
)
_MAY_GO = text("SELECT low, high, tenants FROM archivable_events(:before)")
_DROP = text("SELECT drop_events(:low, :before)")
_MOMENT = text("SELECT pg_sleep(0.02)")
_ENTRY = [events.c[name] for name in SealedEntry.model_fields if name != "body"] + [
    cast(events.c.body, Text).label("body")
]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECISION = "PolicyDecided"  # the fact that policy was asked, whose area lies above this one
_DIGITS = re.compile("[0-9]{1,18}")  # of a bigint


@dataclass(frozen=True, slots=True)
class FreshEvents:
    """What the next checkpoint covers: every committed event below a horizon that no checkpoint covers yet."""

    positions: Sequence[int]
    hashes: Sequence[str]
    horizon: str
    cluster: int


@dataclass(frozen=True, slots=True)
class PostgresEvidence:
    """The log of one tenant as far as it may be seen, and everybody's checkpoints, within one transaction."""

    connection: Connection
    tenant: str
    visible: Callable[[ColumnElement[str]], ColumnElement[bool]]

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
        query = query.where(streams.c.tenant == self.tenant, streams.c.stream == stream, self.visible(streams.c.stream))
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise NoSuchEvidence("nothing is known about this plan", plan_id=stream)
        return Head(stream=stream, count=row.seq, hash=row.hash)

    def first(self, head: Head) -> int:
        """Return the number of a stream's first event that is in the log; one past the head if none is."""
        query = select(func.min(events.c.seq)).where(events.c.tenant == self.tenant, events.c.stream == head.stream)
        return self.connection.execute(query).scalar_one() or head.count + 1

    def evidence(self, head: Head, archived: Sequence[PlacedEntry] = ()) -> Evidence | None:
        """Return all evidence of a stream up to a head, or None while an event is not covered yet."""
        query = self._entries().add_columns(events.c.position)
        query = query.where(events.c.stream == head.stream, events.c.seq <= head.count).order_by(events.c.seq)
        rows = self.connection.execute(query)
        found = [*archived, *(PlacedEntry(position=row.position, event=_entry(row)) for row in rows)]
        places = self._places([entry.position for entry in found])
        if not found or len(places) < len(found):
            return None
        covered = [CoveredEvent(event=entry.event, **places[entry.position]) for entry in found]
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
        order = _order(wanted)
        query = _filtered(self._entries().add_columns(events.c.position), wanted).where(self.visible(events.c.stream))
        if wanted.cursor is not None:
            query = query.where(tuple_(*order) < tuple_(*_place(wanted.cursor, order)))
        newest_first = [column.desc() for column in order]
        rows = self.connection.execute(query.order_by(*newest_first).limit(wanted.limit + 1)).all()
        page = wanted.cut(rows, lambda last: _key(last, order))
        return Page(data=tuple(_entry(row) for row in page.data), next_cursor=page.next_cursor)

    def after(self, place: Place | None, wanted: EventQuery, limit: int) -> list[tuple[Place, SealedEntry]]:
        """Return the first events behind a place, the oldest first, each with its own place."""
        order = (events.c.at, events.c.position)
        query = _filtered(self._entries().add_columns(events.c.position), wanted).where(self.visible(events.c.stream))
        if place is not None:
            query = query.where(tuple_(*order) > tuple_(literal(place[0]), literal(place[1], BigInteger)))
        rows = self.connection.execute(query.order_by(*order).limit(limit))
        return [((row.at, row.position), _entry(row)) for row in rows]

    def _entries(self) -> Select[Any]:
        return select(*_ENTRY).where(events.c.tenant == self.tenant)

    def _places(self, positions: Sequence[int]) -> dict[int, dict[str, int]]:
        rows = self.connection.execute(_PLACES, {"positions": list(positions)})
        return {row.position: {"checkpoint": row.checkpoint, "leaf": row.leaf} for row in rows}

    def _chain(self, first: int, last: int) -> tuple[Checkpoint, ...]:
        rows = self.connection.execute(_CHAIN, {"first": first, "last": last})
        return tuple(_checkpoint(row) for row in rows)

    def _leaves(self, numbers: list[int]) -> dict[int, tuple[str, ...]]:
        leaves: dict[int, list[str]] = {number: [] for number in numbers}
        for row in self.connection.execute(_LEAVES, {"numbers": numbers}):
            leaves[row.checkpoint].append(row.hash)
        return {number: tuple(hashes) for number, hashes in leaves.items()}


@dataclass(frozen=True, slots=True)
class PostgresArchives:
    """What left the log of one tenant, and what may leave everybody's, within one transaction."""

    connection: Connection
    tenant: str

    def may_go(self, before: datetime) -> Stretch | None:
        """Return the oldest stretch of the log, if all of it is older, covered by checkpoints and at rest."""
        self.connection.execute(_PATIENCE)
        row = self.connection.execute(_MAY_GO, {"before": before}).one_or_none()
        return None if row is None else Stretch(low=row.low, high=row.high, tenants=tuple(row.tenants))

    def next_of(self, stretch: Stretch, limit: int) -> list[PlacedEntry]:
        """Return the tenant's first events in a stretch that are in no archive yet."""
        self.connection.execute(_PATIENCE)
        mine = (event_archives.c.tenant == self.tenant, event_archives.c.first >= stretch.low)
        reached = select(func.max(event_archives.c.last)).where(*mine, event_archives.c.last < stretch.high)
        after = self.connection.execute(reached).scalar_one()
        query = select(*_ENTRY, events.c.position).where(events.c.tenant == self.tenant)
        query = query.where(events.c.position >= (stretch.low if after is None else after + 1))
        query = query.where(events.c.position < stretch.high).order_by(events.c.position).limit(limit)
        return [PlacedEntry(position=row.position, event=_entry(row)) for row in self.connection.execute(query)]

    def add(self, archive: Archive) -> None:
        """Note an archive; Conflict if somebody else was first."""
        self.connection.execute(insert(event_archives).values(tenant=self.tenant, **dict(archive)))

    def newest_first(self) -> list[Archive]:
        """Return all archives of the tenant."""
        query = select(event_archives).where(event_archives.c.tenant == self.tenant)
        rows = self.connection.execute(query.order_by(event_archives.c.first.desc()))
        return [Archive.model_validate({name: getattr(row, name) for name in Archive.model_fields}) for row in rows]

    def drop(self, stretch: Stretch, before: datetime) -> None:
        """Let a stretch go. The database refuses unless it may go and every event in it is archived as it is."""
        self.connection.execute(_PATIENCE)
        self.connection.execute(_DROP, {"low": stretch.low, "before": before})


def _filtered(query: Select[Any], wanted: EventQuery) -> Select[Any]:
    decided = {"action": wanted.action, "outcome": wanted.decision}
    equal = {"type": wanted.type, "actor": wanted.actor_id}
    if any(decided.values()):
        query = query.where(events.c.type == _DECISION)
        for name, value in decided.items():
            if value is not None:
                query = query.where(events.c.body[name].as_string() == value)
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
    return query


def _order(wanted: EventFilter) -> list[Column[Any]]:
    """Return what a list is sorted by: one stream by its numbers, many by time; an index has either order."""
    is_one_stream = wanted.stream is not None or wanted.plan_id is not None
    return [events.c.seq] if is_one_stream else [events.c.at, events.c.position]


def _key(row: Row[Any], order: Sequence[Column[Any]]) -> str:
    return ".".join(
        str(_microseconds(row.at) if column is events.c.at else getattr(row, column.name)) for column in order
    )


def _place(key: str, order: Sequence[Column[Any]]) -> list[Any]:
    numbers = key.split(".")
    if len(numbers) != len(order) or not all(map(_DIGITS.fullmatch, numbers)):
        raise CursorInvalid("the cursor is not one that this list gave out")
    return [
        _EPOCH + timedelta(microseconds=int(number)) if column is events.c.at else literal(int(number), BigInteger)
        for number, column in zip(numbers, order, strict=True)
    ]


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _entry(row: Row[Any]) -> SealedEntry:
    fields = {name: getattr(row, name) for name in SealedEntry.model_fields}
    try:
        body = as_hashed(row.body)
    except (ValueError, RecursionError) as error:
        raise corrupt_row("events", row.id, "its body is no JSON that Python can hold") from error
    return read_row(SealedEntry, fields | {"body": body}, table="events", row_id=row.id)


def _checkpoint(row: Row[Any]) -> Checkpoint:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return read_row(Checkpoint, fields, table="checkpoints", row_id=str(row.number))
