"""Tenants' own versions of workflows, kept in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from carapulse.kernel.canonical import digest
from carapulse.kernel.cursor import Page
from carapulse.rows import corrupt_row, read_row
from carapulse.workflows.model import OwnVersion
from carapulse.workflows.ports import VersionFilter
from carapulse.workflows.tables import workflow_versions

_KEPT = workflow_versions.c
_OWN = [_KEPT.name, _KEPT.version, *(_KEPT[name] for name in OwnVersion.model_fields)]


@dataclass(frozen=True, slots=True)
class PostgresOwnVersions:
    """The own versions of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def line_up(self, name: str) -> None:
        """Let nobody else add or retire versions of this name until the transaction ends."""
        key = func.hashtextextended(f"workflow {self.tenant} {name}", 0)
        self.connection.execute(select(func.pg_advisory_xact_lock(key)))

    def newest(self, name: str) -> OwnVersion | None:
        """Return the newest version that was not retired, or None."""
        query = self._of(name).where(_KEPT.retired_at.is_(None)).order_by(_KEPT.version.desc()).limit(1)
        return self._first(query)

    def find(self, name: str, version: int) -> OwnVersion | None:
        """Return one version, also a retired one, or None."""
        return self._first(self._of(name).where(_KEPT.version == version))

    def highest(self, name: str) -> int:
        """Return the highest number that was ever given, 0 if none was."""
        query = select(func.max(_KEPT.version)).where(_KEPT.tenant == self.tenant, _KEPT.name == name)
        found: int | None = self.connection.execute(query).scalar_one()
        return found or 0

    def add(self, own: OwnVersion) -> None:
        """Keep a new version."""
        row = {**dict(own), "recipe": own.recipe.model_dump(mode="json")}
        names = {"name": own.recipe.name, "version": own.recipe.version}
        self.connection.execute(insert(workflow_versions).values(tenant=self.tenant, **names, **row))

    def retire(self, own: OwnVersion) -> None:
        """Keep that a version is retired."""
        query = update(workflow_versions).where(
            _KEPT.tenant == self.tenant, _KEPT.name == own.recipe.name, _KEPT.version == own.recipe.version
        )
        self.connection.execute(query.values(retired_at=own.retired_at, retired_by=own.retired_by))

    def current(self, after: str, limit: int) -> Sequence[OwnVersion]:
        """Return the newest version that was not retired of each name after one, by name."""
        query = select(*_OWN).where(_KEPT.tenant == self.tenant, _KEPT.retired_at.is_(None), _KEPT.name > after)
        newest = query.distinct(_KEPT.name).order_by(_KEPT.name, _KEPT.version.desc()).limit(limit)
        return [_own(row) for row in self.connection.execute(newest).mappings()]

    def page(self, name: str, wanted: VersionFilter) -> Page[OwnVersion]:
        """Return the versions of a name, the newest first."""
        query = self._of(name).order_by(_KEPT.version.desc())
        if wanted.cursor is not None:
            query = query.where(_KEPT.version < int(wanted.cursor))
        found = [_own(row) for row in self.connection.execute(query.limit(wanted.limit + 1)).mappings()]
        return wanted.cut(found, lambda own: str(own.recipe.version))

    def _of(self, name: str) -> Select[Any]:
        return select(*_OWN).where(_KEPT.tenant == self.tenant, _KEPT.name == name)

    def _first(self, query: Select[Any]) -> OwnVersion | None:
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _own(row)


def _own(row: RowMapping) -> OwnVersion:
    """Return the version that a row holds, provided that nobody changed its recipe."""
    row_id = f"{row['name']} {row['version']}"
    if digest(row["recipe"]) != row["digest"]:
        raise corrupt_row("workflow_versions", row_id, "the recipe is not the one that has this digest")
    kept = {name: row[name] for name in OwnVersion.model_fields}
    return read_row(OwnVersion, kept, table="workflow_versions", row_id=row_id)
