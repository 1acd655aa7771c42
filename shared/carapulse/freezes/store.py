"""Freezes and windows kept in Postgres."""

from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection, RowMapping, Select, Table, insert, or_, select, update

from carapulse.freezes.errors import FreezeNotFound, WindowNotFound
from carapulse.freezes.model import Freeze
from carapulse.freezes.ports import FreezeFilter, WindowFilter
from carapulse.freezes.tables import freezes, maintenance_windows
from carapulse.freezes.windows import Window
from carapulse.kernel.cursor import Page
from carapulse.kernel.errors import NotFound
from carapulse.rows import read_row

R = TypeVar("R", Freeze, Window)


class _Kept(Generic[R]):
    """One kind of rule of one tenant, within one transaction."""

    table: ClassVar[Table]
    kind: type[R]
    absent: ClassVar[type[NotFound]]

    def __init__(self, connection: Connection, tenant: str) -> None:
        self.connection = connection
        self.tenant = tenant

    def get(self, rule_id: str) -> R:
        """Return the rule, or raise the error that says that there is none."""
        return self._one(rule_id, self._mine())

    def lock(self, rule_id: str) -> R:
        """Return the rule and keep everybody else from changing it until the transaction ends."""
        return self._one(rule_id, self._mine().with_for_update())

    def id_of(self, name: str) -> str | None:
        """Return the id of the rule of that name that was not lifted, or None."""
        kept = self.table.c
        query = select(kept.id).where(kept.tenant == self.tenant, kept.name == name, kept.lifted_at.is_(None))
        found: str | None = self.connection.execute(query).scalar_one_or_none()
        return found

    def add(self, rule: R) -> None:
        """Keep a new rule."""
        self.connection.execute(insert(self.table).values(tenant=self.tenant, **self._row(rule)))

    def replace(self, rule: R) -> None:
        """Keep the rule as it now is."""
        query = update(self.table).where(self.table.c.tenant == self.tenant, self.table.c.id == rule.id)
        self.connection.execute(query.values(**self._row(rule)))

    def _page(self, query: Select[Any], wanted: FreezeFilter | WindowFilter) -> Page[R]:
        """Return a page of what a query finds, the newest first."""
        kept = self.table.c
        if wanted.lifted is not None:
            query = query.where(kept.lifted_at.is_not(None) if wanted.lifted else kept.lifted_at.is_(None))
        if wanted.cursor is not None:
            query = query.where(kept.id < wanted.cursor)
        rows = self.connection.execute(query.order_by(kept.id.desc()).limit(wanted.limit + 1)).mappings()
        return wanted.cut([self._read(row) for row in rows], lambda rule: rule.id)

    def _mine(self) -> Select[Any]:
        return select(self.table.c.id, self.table.c.body).where(self.table.c.tenant == self.tenant)

    def _one(self, rule_id: str, query: Select[Any]) -> R:
        row = self.connection.execute(query.where(self.table.c.id == rule_id)).mappings().one_or_none()
        if row is None:
            raise self.absent("there is none with this id", id=rule_id)
        return self._read(row)

    def _read(self, row: RowMapping) -> R:
        return read_row(self.kind, row["body"], table=self.table.name, row_id=row["id"])

    def _row(self, rule: R) -> dict[str, Any]:
        names = (name for name in self.kind.model_fields if name in self.table.c)
        return {**{name: getattr(rule, name) for name in names}, "body": rule.model_dump(mode="json")}


class PostgresFreezes(_Kept[Freeze]):
    """The freezes of one tenant, within one transaction."""

    table = freezes
    kind = Freeze
    absent = FreezeNotFound

    def page(self, wanted: FreezeFilter) -> Page[Freeze]:
        """Return freezes, the newest first; with `active_at` those alone that held at that moment."""
        query, kept, at = self._mine(), freezes.c, wanted.active_at
        if at is not None:
            ends = [or_(end.is_(None), end > at) for end in (kept.until, kept.lifted_at)]
            query = query.where(kept.starts_at <= at, *ends)
        return self._page(query, wanted)


class PostgresWindows(_Kept[Window]):
    """The maintenance windows of one tenant, within one transaction."""

    table = maintenance_windows
    kind = Window
    absent = WindowNotFound

    def page(self, wanted: WindowFilter) -> Page[Window]:
        """Return windows, the newest first."""
        return self._page(self._mine(), wanted)
