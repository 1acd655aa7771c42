"""Collectors kept in Postgres."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from carapulse.collection.errors import CollectorTaken
from carapulse.collection.model import Collector, Progress
from carapulse.collection.ports import CollectorFilter, Kept
from carapulse.collection.tables import collectors
from carapulse.kernel.cursor import Page
from carapulse.rows import read_row

_COLLECTOR = [collectors.c[name] for name in ("name", "body", "progress", "next_at")]


@dataclass(frozen=True, slots=True)
class PostgresCollectors:
    """The collectors of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def named(self, name: str) -> Kept | None:
        """Return the collector of that name, or None."""
        return self._one(self._named(name))

    def lock(self, name: str) -> Kept | None:
        """Return the collector, and keep everybody else from changing it until the transaction ends; or None."""
        return self._one(self._named(name).with_for_update())

    def lock_due(self, name: str, at: datetime) -> Kept | None:
        """Return the collector if it is due and nobody else has it locked, and lock it; else None, without waiting."""
        due = self._named(name).where(collectors.c.next_at <= at)
        return self._one(due.with_for_update(skip_locked=True))

    def put_off(self, name: str, at: datetime, until: datetime) -> None:
        """Leave alone what is due and can't be read, unless somebody has it locked."""
        due = select(collectors.c.name).where(*self._is(name), collectors.c.next_at <= at)
        free = due.with_for_update(skip_locked=True).scalar_subquery()
        query = update(collectors).where(collectors.c.tenant == self.tenant, collectors.c.name == free)
        self.connection.execute(query.values(next_at=until))

    def add(self, kept: Kept) -> None:
        """Keep a new collector; CollectorTaken if the name is another's by now."""
        query = insert(collectors).values(tenant=self.tenant, name=kept.collector.name, **_row(kept))
        added = self.connection.execute(query.on_conflict_do_nothing().returning(collectors.c.name))
        if added.scalar_one_or_none() is None:
            raise CollectorTaken("there is such a collector by now", name=kept.collector.name)

    def replace(self, kept: Kept) -> None:
        """Keep the collector as it now is."""
        query = update(collectors).where(*self._is(kept.collector.name))
        self.connection.execute(query.values(**_row(kept)))

    def delete(self, name: str) -> None:
        """Forget the collector."""
        self.connection.execute(delete(collectors).where(*self._is(name)))

    def page(self, wanted: CollectorFilter) -> Page[Kept]:
        """Return collectors, by name."""
        query = select(*_COLLECTOR).where(collectors.c.tenant == self.tenant).order_by(collectors.c.name)
        if wanted.system is not None:
            query = query.where(collectors.c.system == wanted.system)
        if wanted.enabled is not None:
            query = query.where(collectors.c.enabled == wanted.enabled)
        if wanted.cursor is not None:
            query = query.where(collectors.c.name > wanted.cursor)
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        return wanted.cut([_kept(row) for row in rows], lambda kept: kept.collector.name)

    def _named(self, name: str) -> Select[Any]:
        return select(*_COLLECTOR).where(*self._is(name))

    def _is(self, name: str) -> tuple[Any, ...]:
        return (collectors.c.tenant == self.tenant, collectors.c.name == name)

    def _one(self, query: Select[Any]) -> Kept | None:
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _kept(row)


def _kept(row: RowMapping) -> Kept:
    where = {"table": "collectors", "row_id": row["name"]}
    return Kept(read_row(Collector, row["body"], **where), read_row(Progress, row["progress"], **where), row["next_at"])


def _row(kept: Kept) -> dict[str, Any]:
    return {
        "system": kept.collector.system,
        "enabled": kept.collector.enabled,
        "next_at": kept.next_at,
        "body": kept.collector.model_dump(mode="json"),
        "progress": kept.progress.model_dump(mode="json"),
    }
