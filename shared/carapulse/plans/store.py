"""Plans kept in Postgres."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    select,
    true,
    update,
)

from carapulse.kernel.call import Scope
from carapulse.kernel.canonical import digest as digest_of
from carapulse.kernel.cursor import Page
from carapulse.plans.errors import PlanChanged, PlanNotFound, VersionNotFound
from carapulse.plans.kept import kept_version
from carapulse.plans.model import Plan, PlanVersion
from carapulse.plans.ports import PlanFilter, VersionFilter
from carapulse.plans.tables import plan_versions, plans
from carapulse.plans.views import VersionSummary
from carapulse.rows import read_row

_BODY = plan_versions.c.body
_SUMMARY = [
    plan_versions.c.plan_id,
    plan_versions.c.version,
    plan_versions.c.digest,
    _BODY["summary"].as_string().label("summary"),
    _BODY["risk"].as_string().label("risk_level"),
    func.jsonb_array_length(_BODY["steps"]).label("steps"),
    _BODY["requested_by"].as_string().label("requested_by"),
    _BODY["created_at"].as_string().label("created_at"),
]
_HEAD = [column for column in plans.c if column.name != "tenant"]
# Statements that every request makes are built once: building one costs as much as executing it.
_ONE = select(*_HEAD).where(plans.c.tenant == bindparam("tenant"), plans.c.id == bindparam("id"))
_LOCKED = _ONE.with_for_update()
_KEPT = [cast(_BODY, Text).label("kept_body"), plan_versions.c.digest.label("kept_digest")]
_VERSION = select(*_KEPT).where(
    plan_versions.c.tenant == bindparam("tenant"),
    plan_versions.c.plan_id == bindparam("id"),
    plan_versions.c.version == bindparam("number"),
)
_CURRENT = _ONE.add_columns(*_KEPT).outerjoin_from(
    plans,
    plan_versions,
    and_(
        plan_versions.c.tenant == plans.c.tenant,
        plan_versions.c.plan_id == plans.c.id,
        plan_versions.c.version == plans.c.version,
    ),
)
_ADD, _KEEP = insert(plans), insert(plan_versions)
_REPLACE = update(plans).where(plans.c.tenant == bindparam("of_tenant"), plans.c.id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class PostgresPlans:
    """The plans of one tenant that lie within a scope, in one transaction. What lies outside is as if it were not."""

    connection: Connection
    tenant: str
    scope: Scope

    def get(self, plan_id: str) -> Plan:
        """Return the plan, or raise PlanNotFound."""
        return _plan(self._one(_ONE, plan_id))

    def lock(self, plan_id: str) -> Plan:
        """Return the plan and let nobody else change it, or anything that hangs on it, until the transaction ends."""
        return _plan(self._one(_LOCKED, plan_id))

    def current(self, plan_id: str) -> tuple[Plan, PlanVersion]:
        """Return the plan and its current version, as `get` and `version` do."""
        row = self._one(_CURRENT, plan_id)
        plan = _plan(row)
        if row.kept_digest is None:
            raise VersionNotFound("the plan has no such version", plan_id=plan_id, version=plan.version)
        return plan, kept_version(row.kept_body, row.kept_digest, f"{plan_id}/{plan.version}")

    def version(self, plan_id: str, number: int, *, digest: str | None = None) -> PlanVersion:
        """Return one version, its digest computed anew from what is stored; CorruptRow if the two differ.

        PlanChanged if a digest is given and it is another one.
        """
        asked = {"tenant": self.tenant, "id": plan_id, "number": number}
        row = self.connection.execute(_VERSION, asked).one_or_none()
        if row is None:
            raise VersionNotFound("the plan has no such version", plan_id=plan_id, version=number)
        version = kept_version(row.kept_body, row.kept_digest, f"{plan_id}/{number}")
        if digest not in {None, row.kept_digest}:
            raise PlanChanged("the plan is not the one that was approved", plan_id=plan_id, version=number)
        return version

    def add(self, plan: Plan, version: PlanVersion) -> None:
        """Keep a new plan and its first version."""
        self.connection.execute(_ADD, {"tenant": self.tenant, **_row(plan)})
        self._keep(version)

    def revise(self, plan: Plan, version: PlanVersion) -> None:
        """Keep a further version and make it the current one."""
        self._keep(version)
        self.replace(plan)

    def replace(self, plan: Plan) -> None:
        """Keep the head of a plan as it now is."""
        self.connection.execute(_REPLACE, {"of_tenant": self.tenant, "of_id": plan.id, **_row(plan)})

    def page(self, wanted: PlanFilter) -> Page[Plan]:
        """Return plans, the newest first."""
        query = self._heads().order_by(plans.c.id.desc()).limit(wanted.limit + 1)
        query = query.where(plans.c.archived_at.is_not(None) if wanted.archived else plans.c.archived_at.is_(None))
        for name in ("status", "environment", "service", "risk", "trigger", "requested_by"):
            if (value := getattr(wanted, name)) is not None:
                query = query.where(plans.c[name] == value)
        if wanted.created_after is not None:
            query = query.where(plans.c.created_at >= wanted.created_after)
        if wanted.created_before is not None:
            query = query.where(plans.c.created_at < wanted.created_before)
        if wanted.cursor is not None:
            query = query.where(plans.c.id < wanted.cursor)
        found = tuple(_head(dict(row)) for row in self.connection.execute(query).mappings())
        return wanted.cut(found, lambda last: last.id)

    def visible(self, plan_id: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that the plan which a column names lies within the scope, for what hangs on plans."""
        if self.scope.is_whole:
            return true()
        return exists().where(plans.c.tenant == self.tenant, plans.c.id == plan_id, *self._within())

    def versions(self, plan: Plan, wanted: VersionFilter) -> Page[VersionSummary]:
        """Return the versions of a plan, the newest first; of each only what a list shows is read."""
        query = select(*_SUMMARY).where(plan_versions.c.tenant == self.tenant, plan_versions.c.plan_id == plan.id)
        if wanted.cursor is not None:
            query = query.where(plan_versions.c.version < int(wanted.cursor))
        query = query.order_by(plan_versions.c.version.desc()).limit(wanted.limit + 1)
        found = [_summary(dict(row), plan) for row in self.connection.execute(query).mappings()]
        return wanted.cut(found, lambda last: str(last.version))

    def _heads(self) -> Select[Any]:
        return select(*_HEAD).where(plans.c.tenant == self.tenant, *self._within())

    def _within(self) -> Iterator[ColumnElement[bool]]:
        """Yield what must hold for a plan to lie within the scope; a null is in no list."""
        named = ((plans.c.environment, self.scope.environments), (plans.c.service, self.scope.services))
        for column, names in named:
            if names is not None:
                yield column.in_(names)
        if self.scope.clusters is not None:
            yield self._cluster().in_(self.scope.clusters)

    def _cluster(self) -> ColumnElement[str]:
        current = (plan_versions.c.plan_id == plans.c.id, plan_versions.c.version == plans.c.version)
        query = select(plan_versions.c.body["context"]["cluster_id"].as_string())
        return query.where(plan_versions.c.tenant == plans.c.tenant, *current).correlate(plans).scalar_subquery()

    def _one(self, query: Select[Any], plan_id: str) -> Row[Any]:
        asked = query if self.scope.is_whole else query.where(*self._within())
        row = self.connection.execute(asked, {"tenant": self.tenant, "id": plan_id}).one_or_none()
        if row is None:
            raise PlanNotFound("no such plan", plan_id=plan_id)
        return row

    def _keep(self, version: PlanVersion) -> None:
        body = version.document()
        about = {"plan_id": version.plan_id, "version": version.version, "digest": digest_of(body)}
        self.connection.execute(_KEEP, {"tenant": self.tenant, **about, "body": body})


def _row(plan: Plan) -> dict[str, Any]:
    reasons = [reason.model_dump(mode="json") for reason in plan.reasons]
    return {**dict(plan), "status": plan.status.value, "risk": plan.risk.value, "reasons": reasons}


def _plan(row: Row[Any]) -> Plan:
    return _head({column.name: value for column, value in zip(_HEAD, row, strict=False)})


def _head(row: dict[str, Any]) -> Plan:
    return read_row(Plan, row, table="plans", row_id=row["id"])


def _summary(row: dict[str, Any], plan: Plan) -> VersionSummary:
    facts = {**row, "current": row["version"] == plan.version}
    return read_row(VersionSummary, facts, table="plan_versions", row_id=f"{plan.id}/{row['version']}")
