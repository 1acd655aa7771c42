"""What is kept sealed, in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, column, func, literal, select, table, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, array

from carapulse.resealing.model import Place
from carapulse.resealing.ports import SealedRow


@dataclass(frozen=True, slots=True)
class PostgresSealedRows:
    """What one tenant keeps sealed, within one transaction."""

    connection: Connection
    tenant: str

    def others(self, place: Place, prefix: str, after: SealedRow | None, limit: int) -> Sequence[SealedRow]:
        """Return rows, after one, whose text begins otherwise, locked; what others have locked is passed over."""
        rows = _Rows(place)
        mine = rows.of(self.tenant)
        if after is not None:
            mine = [*mine, tuple_(*rows.key) > tuple_(*(literal(after.facts[name]) for name in place.key))]
        # LIKE would fetch the whole of every text that is done.
        otherwise = func.left(rows.sealed, len(prefix)) != prefix
        query = (
            select(*rows.key, *rows.facts, rows.sealed.label("sealed"))
            .where(*mine, otherwise)
            .order_by(*rows.key)
            .limit(limit)
            .with_for_update(key_share=True, skip_locked=True)
        )
        found = self.connection.execute(query).mappings().all()
        return [SealedRow(sealed=row["sealed"], facts={n: row[n] for n in (*place.key, *place.facts)}) for row in found]

    def replace(self, place: Place, row: SealedRow, sealed: str) -> None:
        """Keep another sealed text in a row that is locked."""
        rows = _Rows(place)
        this = [each == row.facts[each.name] for each in rows.key]
        self.connection.execute(update(rows.table).where(*rows.of(self.tenant), *this).values(rows.changed(sealed)))


@dataclass(frozen=True)
class _Rows:
    """How a place is spelled in SQL."""

    place: Place

    @cached_property
    def key(self) -> list[Any]:
        return [column(name, Text) for name in self.place.key]

    @cached_property
    def facts(self) -> list[Any]:
        return [self._text(name).label(name) for name in self.place.facts]

    @cached_property
    def sealed(self) -> Any:  # noqa: ANN401 - as below
        return self._text(self.place.column)

    @cached_property
    def table(self) -> Any:  # noqa: ANN401 - what SQLAlchemy makes of a name
        held = self.place.column if self.place.message is None else _BODY.name
        return table(self.place.table, column("tenant"), column("type"), column(held), *self.key)

    def of(self, tenant: str) -> list[ColumnElement[bool]]:
        mine = [self.table.c.tenant == tenant]
        return mine if self.place.message is None else [*mine, self.table.c.type == self.place.message]

    def changed(self, sealed: str) -> dict[str, object]:
        if self.place.message is None:
            return {self.place.column: sealed}
        return {_BODY.name: func.jsonb_set(_BODY, array([self.place.column]), func.to_jsonb(cast(sealed, Text)))}

    def _text(self, name: str) -> Any:  # noqa: ANN401 - as above
        return column(name, Text) if self.place.message is None else _BODY[name].astext


_BODY: ColumnElement[Any] = column("body", JSONB)
