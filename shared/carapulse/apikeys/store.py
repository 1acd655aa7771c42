"""Keys kept in Postgres."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, insert, select, update

from carapulse.apikeys.errors import ApiKeyNotFound
from carapulse.apikeys.model import ApiKey
from carapulse.apikeys.ports import ApiKeyFilter, Mark
from carapulse.apikeys.tables import api_keys
from carapulse.kernel.call import Scope
from carapulse.kernel.cursor import Page
from carapulse.rows import read_row

_SHOWN = [column for column in api_keys.c if column.name not in {"tenant", "mark", "marked_by"}]
_SCOPE = tuple(Scope.model_fields)
_END = ("expires_at", "revoked_at", "revoked_by", "revoked_because", "replaced_by")


@dataclass(frozen=True, slots=True)
class PostgresApiKeys:
    """The keys of one tenant that may touch nothing outside of a scope, within one transaction."""

    connection: Connection
    tenant: str
    scope: Scope

    def add(self, key: ApiKey, mark: Mark) -> None:
        """Keep a new key; Conflict if its prefix was given out before."""
        row = {**dict(key), "roles": sorted(key.roles), **_lists(key.scope)}
        del row["scope"]
        marked = {"mark": mark.text, "marked_by": mark.made_by}
        self.connection.execute(insert(api_keys).values(tenant=self.tenant, **marked, **row))

    def get(self, key_id: str) -> ApiKey:
        """Return the key, or raise ApiKeyNotFound."""
        return self._one(self._keys().where(api_keys.c.id == key_id), key_id)

    def lock(self, key_id: str) -> ApiKey:
        """Return the key and keep everybody else from changing it until the transaction ends."""
        return self._one(self._keys().where(api_keys.c.id == key_id).with_for_update(), key_id)

    def end(self, key: ApiKey) -> None:
        """Keep when and why the key ends, and what follows it."""
        query = update(api_keys).where(api_keys.c.tenant == self.tenant, api_keys.c.id == key.id)
        self.connection.execute(query.values({name: getattr(key, name) for name in _END}))

    def page(self, wanted: ApiKeyFilter) -> Page[ApiKey]:
        """Return keys, the newest first."""
        query = self._keys().order_by(api_keys.c.id.desc()).limit(wanted.limit + 1)
        if wanted.cursor is not None:
            query = query.where(api_keys.c.id < wanted.cursor)
        found = tuple(key_in(row) for row in self.connection.execute(query).mappings())
        return wanted.cut(found, lambda last: last.id)

    def _keys(self) -> Select[Any]:
        return select(*_SHOWN).where(api_keys.c.tenant == self.tenant, *self._within())

    def _within(self) -> Iterator[ColumnElement[bool]]:
        """Yield what must hold for a key to touch nothing outside; one that may touch everything is in no list."""
        for name, names in _lists(self.scope).items():
            if names is not None:
                yield api_keys.c[name].contained_by(names)

    def _one(self, query: Select[Any], key_id: str) -> ApiKey:
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise ApiKeyNotFound("no such key", key_id=key_id)
        return key_in(row)


def key_in(row: RowMapping) -> ApiKey:
    """Return the key that a row is about, whatever else is in it."""
    facts = {name: row[name] for name in ApiKey.model_fields if name != "scope"}
    scope = {name: row[name] for name in _SCOPE}
    return read_row(ApiKey, {**facts, "scope": scope}, table="api_keys", row_id=row["id"])


def _lists(scope: Scope) -> dict[str, list[str] | None]:
    return {name: None if names is None else list(names) for name, names in scope}
