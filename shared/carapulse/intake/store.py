"""Sources, deliveries and alerts kept in Postgres."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from carapulse.intake.alerts import Alert
from carapulse.intake.errors import AlertNotFound
from carapulse.intake.model import Credential, Source
from carapulse.intake.ports import AlertFilter, Delivery
from carapulse.intake.tables import alerts, source_credentials, sources, webhook_deliveries
from carapulse.kernel.call import Scope
from carapulse.kernel.cursor import Page
from carapulse.rows import read_row

_SOURCE = [sources.c[name] for name in Source.model_fields]
_CREDENTIAL = [source_credentials.c[name] for name in Credential.model_fields]
_ALERT = [alerts.c.id, alerts.c.body]
# A route may say another environment or cluster than its source does.
_WHERE_A_PLAN_WOULD_BE = text(
    "(CAST(:services AS text[]) IS NULL OR alerts.service = ANY (CAST(:services AS text[])))"
    " AND EXISTS (SELECT FROM sources s"
    " LEFT JOIN LATERAL jsonb_array_elements(s.registration -> 'routes') r ON r ->> 'name' = alerts.body ->> 'route'"
    " WHERE s.tenant = alerts.tenant AND s.id = alerts.source_id"
    " AND (CAST(:environments AS text[]) IS NULL OR coalesce(r #>> '{context,environment}',"
    " s.registration #>> '{context,environment}') = ANY (CAST(:environments AS text[])))"
    " AND (CAST(:clusters AS text[]) IS NULL OR coalesce(r #>> '{context,cluster_id}',"
    " s.registration #>> '{context,cluster_id}') = ANY (CAST(:clusters AS text[]))))"
)
_DELIVERY = [webhook_deliveries.c[name] for name in Delivery.model_fields]


@dataclass(frozen=True, slots=True)
class PostgresSources:
    """The sources of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def listed(self) -> Sequence[Source]:
        """Return every source that may report, by name."""
        query = select(*_SOURCE).where(*self._active()).order_by(sources.c.name)
        return [_source(row) for row in self.connection.execute(query).mappings()]

    def named(self, name: str) -> Source | None:
        """Return the source of that name and keep others from changing it until the transaction ends, or None."""
        query = select(*_SOURCE).where(*self._active(), sources.c.name == name).with_for_update()
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _source(row)

    def get(self, source_id: str) -> Source:
        """Return the source of that id, also one that may report no more."""
        query = select(*_SOURCE).where(sources.c.tenant == self.tenant, sources.c.id == source_id)
        return _source(self.connection.execute(query).mappings().one())

    def line_up(self, source_id: str) -> Source:
        """Return the source and let nobody else sort its deliveries until the transaction ends; new ones may arrive."""
        query = select(*_SOURCE).where(sources.c.tenant == self.tenant, sources.c.id == source_id)
        locked = query.with_for_update(key_share=True)
        return _source(self.connection.execute(locked).mappings().one())

    def add(self, source: Source) -> None:
        """Keep a new source."""
        self.connection.execute(insert(sources).values(tenant=self.tenant, **_row(source)))

    def replace(self, source: Source) -> None:
        """Keep the source as it now is."""
        query = update(sources).where(sources.c.tenant == self.tenant, sources.c.id == source.id)
        self.connection.execute(query.values(**_row(source)))

    def retire(self, source: Source, at: datetime) -> None:
        """Let the source report no more, and forget its proofs."""
        query = update(sources).where(sources.c.tenant == self.tenant, sources.c.id == source.id)
        self.connection.execute(query.values(retired_at=at))
        self.connection.execute(delete(source_credentials).where(*self._proofs(source.id)))

    def credentials(self, source_id: str, at: datetime) -> Sequence[Credential]:
        """Return the proofs that hold at a moment, the newest first."""
        proofs = source_credentials.c
        holds = or_(proofs.expires_at.is_(None), proofs.expires_at > at)
        query = select(*_CREDENTIAL).where(*self._proofs(source_id), holds).order_by(proofs.id.desc())
        return [_credential(row) for row in self.connection.execute(query).mappings()]

    def issue(self, credential: Credential) -> None:
        """Keep a new proof."""
        self.connection.execute(insert(source_credentials).values(tenant=self.tenant, **dict(credential)))

    def expire(self, source_id: str, at: datetime, until: datetime) -> None:
        """Let every proof of a source hold until a moment at most; forget those that hold no more."""
        kept = source_credentials.c
        self.connection.execute(delete(source_credentials).where(*self._proofs(source_id), kept.expires_at <= at))
        sooner = func.least(kept.expires_at, until)  # a null is the greatest
        self.connection.execute(update(source_credentials).where(*self._proofs(source_id)).values(expires_at=sooner))

    def _active(self) -> tuple[Any, ...]:
        return (sources.c.tenant == self.tenant, sources.c.retired_at.is_(None))

    def _proofs(self, source_id: str) -> tuple[Any, ...]:
        return (source_credentials.c.tenant == self.tenant, source_credentials.c.source_id == source_id)


@dataclass(frozen=True, slots=True)
class PostgresDeliveries:
    """The deliveries to one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def add(self, delivery: Delivery) -> bool:
        """Keep a message; False if this source's message of that webhook-id was kept before."""
        row = delivery.model_dump()
        query = insert_or(webhook_deliveries).values(tenant=self.tenant, **row).on_conflict_do_nothing()
        kept = self.connection.execute(query.returning(webhook_deliveries.c.id)).scalar_one_or_none()
        return kept is not None

    def get(self, delivery_id: str) -> Delivery:
        """Return a message."""
        query = select(*_DELIVERY).where(*self._of(webhook_deliveries.c.id == delivery_id))
        return _delivery(self.connection.execute(query).mappings().one())

    def unsorted(self, source_id: str) -> Sequence[Delivery]:
        """Return what nobody looked into yet, in the order of arrival."""
        waiting = webhook_deliveries.c.sorted_at.is_(None)
        query = select(*_DELIVERY).where(*self._of(webhook_deliveries.c.source_id == source_id), waiting)
        rows = self.connection.execute(query.order_by(webhook_deliveries.c.number)).mappings()
        return [_delivery(row) for row in rows]

    def mark_sorted(self, delivery_id: str, at: datetime) -> None:
        """Say that a message was looked into."""
        query = update(webhook_deliveries).where(*self._of(webhook_deliveries.c.id == delivery_id))
        self.connection.execute(query.values(sorted_at=func.greatest(at, webhook_deliveries.c.received_at)))

    def _of(self, condition: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a column's comparison
        return (webhook_deliveries.c.tenant == self.tenant, condition)


@dataclass(frozen=True, slots=True)
class PostgresAlerts:
    """The alerts of one tenant that lie within a scope, in one transaction. What lies outside is as if it were not."""

    connection: Connection
    tenant: str
    scope: Scope
    visible: Callable[[ColumnElement[str]], ColumnElement[bool]]

    def get(self, alert_id: str) -> Alert:
        """Return the alert, or raise AlertNotFound."""
        return self._one(alert_id)

    def lock(self, alert_id: str) -> Alert:
        """Return the alert and keep everybody else from changing it until the transaction ends."""
        return self._one(alert_id, lock=True)

    def open_of(self, source_id: str, key: str) -> Alert | None:
        """Return the alert of that key that is not over, locked, or None."""
        query = select(*_ALERT).where(
            alerts.c.tenant == self.tenant,
            alerts.c.source_id == source_id,
            alerts.c.key == key,
            alerts.c.closed_at.is_(None),
        )
        row = self.connection.execute(query.with_for_update()).mappings().one_or_none()
        return None if row is None else _alert(row)

    def add(self, alert: Alert) -> None:
        """Keep a new alert."""
        self.connection.execute(insert(alerts).values(tenant=self.tenant, **_alert_row(alert)))

    def replace(self, alert: Alert) -> None:
        """Keep the alert as it now is."""
        query = update(alerts).where(alerts.c.tenant == self.tenant, alerts.c.id == alert.id)
        self.connection.execute(query.values(**_alert_row(alert)))

    def page(self, wanted: AlertFilter) -> Page[Alert]:
        """Return alerts, the newest first."""
        query = select(*_ALERT).where(alerts.c.tenant == self.tenant, self._within()).order_by(alerts.c.id.desc())
        for name in ("status", "source", "service"):
            if (value := getattr(wanted, name)) is not None:
                query = query.where(alerts.c[name] == value)
        if wanted.cursor is not None:
            query = query.where(alerts.c.id < wanted.cursor)
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        found = [_alert(row) for row in rows]
        return wanted.cut(found, lambda last: last.id)

    def _one(self, alert_id: str, *, lock: bool = False) -> Alert:
        query = select(*_ALERT).where(alerts.c.tenant == self.tenant, alerts.c.id == alert_id, self._within())
        row = self.connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        if row is None:
            raise AlertNotFound("no such alert", alert_id=alert_id)
        return _alert(row)

    def _within(self) -> ColumnElement[bool]:
        """Return what must hold for an alert to lie within the scope: its plan does, or where a plan would be made."""
        if self.scope.is_whole:
            return true()
        named = {name: None if names is None else list(names) for name, names in self.scope}
        unplanned = alerts.c.plan_id.is_(None) & _WHERE_A_PLAN_WOULD_BE.bindparams(**named)
        return or_(self.visible(alerts.c.plan_id), unplanned)


def _source(row: RowMapping) -> Source:
    return read_row(Source, dict(row), table="sources", row_id=row["id"])


def _credential(row: RowMapping) -> Credential:
    return read_row(Credential, dict(row), table="source_credentials", row_id=row["id"])


def _delivery(row: RowMapping) -> Delivery:
    return read_row(Delivery, dict(row), table="webhook_deliveries", row_id=row["id"])


def _alert(row: RowMapping) -> Alert:
    return read_row(Alert, row["body"], table="alerts", row_id=row["id"])


def _row(source: Source) -> dict[str, Any]:
    return {
        **dict(source),
        "registration": source.registration.model_dump(mode="json"),
        "authors": list(source.authors),
    }


def _alert_row(alert: Alert) -> dict[str, Any]:
    columns = {name: getattr(alert, name) for name in Alert.model_fields if name in alerts.c}
    return {**columns, "body": alert.model_dump(mode="json")}
