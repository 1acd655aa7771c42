"""Approvals kept in Postgres."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Label, Select, Table, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from carapulse.approvals.errors import ApprovalNotFound
from carapulse.approvals.model import OPEN, Answer, Approval, ApprovalStatus, Delegation
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.tables import answers, approvals, delegations
from carapulse.kernel.cursor import Page
from carapulse.kernel.record import Record
from carapulse.rows import read_row

R = TypeVar("R", bound=Record)
_ENVELOPE = [column for column in approvals.c if column.name != "tenant"]


def _all_of(table: Table, kind: type[Record], who: str) -> Label[Any]:
    """Return what selects all that belongs to an envelope, as JSON, in the order in which it came; null for nothing."""
    fields = func.jsonb_build_object(*chain.from_iterable((name, table.c[name]) for name in kind.model_fields))
    query = select(func.jsonb_agg(aggregate_order_by(fields, table.c.at, table.c[who])))
    mine = (table.c.tenant == approvals.c.tenant, table.c.approval_id == approvals.c.id)
    return query.where(*mine).scalar_subquery().label(table.name)


_ANSWERS, _DELEGATIONS = _all_of(answers, Answer, "approver"), _all_of(delegations, Delegation, "delegator")
_ADD = insert(approvals)
_REPLACE = update(approvals).where(approvals.c.tenant == bindparam("of_tenant"), approvals.c.id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class PostgresApprovals:
    """The approvals of one tenant whose plans may be seen, within one transaction."""

    connection: Connection
    tenant: str
    visible: Callable[[ColumnElement[str]], ColumnElement[bool]]

    def get(self, approval_id: str) -> Approval:
        """Return the approval, or raise ApprovalNotFound."""
        found = self._first(self._envelopes().where(approvals.c.id == approval_id))
        if found is None:
            raise ApprovalNotFound("no such approval", approval_id=approval_id)
        return found

    def open_for(self, plan_id: str) -> Approval | None:
        """Return the one open approval of a plan, if there is one, locked until the transaction ends.

        Locked first and read then: one statement would read the answers as they were before it waited for the lock.
        """
        is_it = (approvals.c.plan_id == plan_id, approvals.c.status.in_(OPEN))
        locked = select(approvals.c.id).where(approvals.c.tenant == self.tenant, *is_it)
        self.connection.execute(locked.with_for_update())
        return self._first(self._envelopes().where(*is_it))

    def latest_for(self, plan_id: str) -> Approval | None:
        """Return the approval of a plan that was asked for last, if any was."""
        query = self._envelopes().where(approvals.c.plan_id == plan_id)
        return self._first(query.order_by(approvals.c.id.desc()).limit(1))

    def add(self, approval: Approval) -> None:
        """Keep a new approval; a plan has at most one that is open."""
        self.connection.execute(_ADD, {"tenant": self.tenant, **_row(approval)})

    def replace(self, approval: Approval, *, since: Approval) -> None:
        """Keep the approval as it now is, with the answers that are new; `since` is how it was read."""
        self.connection.execute(_REPLACE, {"of_tenant": self.tenant, "of_id": approval.id, **_row(approval)})
        self._add_to(answers, approval, [each for each in approval.answers if each not in since.answers])
        self._add_to(delegations, approval, [each for each in approval.delegations if each not in since.delegations])

    def page(self, wanted: ApprovalFilter, at: datetime) -> Page[Approval]:
        """Return approvals, the newest first. What ran out of time is not pending, even if nobody noted it yet."""
        query = self._envelopes().order_by(approvals.c.id.desc()).limit(wanted.limit + 1)
        if wanted.status is not None:
            query = query.where(_in_status(wanted.status, at))
        if wanted.plan_id is not None:
            query = query.where(approvals.c.plan_id == wanted.plan_id)
        if wanted.cursor is not None:
            query = query.where(approvals.c.id < wanted.cursor)
        found = self._all(query)
        return wanted.cut(found, lambda last: last.id)

    def _envelopes(self) -> Select[Any]:
        query = select(*_ENVELOPE, _ANSWERS, _DELEGATIONS)
        return query.where(approvals.c.tenant == self.tenant, self.visible(approvals.c.plan_id))

    def _first(self, query: Select[Any]) -> Approval | None:
        found = self._all(query)
        return found[0] if found else None

    def _all(self, query: Select[Any]) -> tuple[Approval, ...]:
        return tuple(_approval(dict(row)) for row in self.connection.execute(query).mappings())

    def _add_to(self, table: Table, approval: Approval, added: Sequence[Record]) -> None:
        owner = {"tenant": self.tenant, "approval_id": approval.id}
        if added:
            self.connection.execute(insert(table), [{**owner, **dict(each)} for each in added])


def _approval(row: dict[str, Any]) -> Approval:
    given = _read(Answer, row, answers, "approver")
    lent = _read(Delegation, row, delegations, "delegator")
    return read_row(Approval, {**row, "answers": given, "delegations": lent}, table="approvals", row_id=row["id"])


def _read(kind: type[R], row: dict[str, Any], table: Table, who: str) -> tuple[R, ...]:
    """Take out of an envelope's row what belongs to it from another table."""
    found = row.pop(table.name) or ()
    return tuple(read_row(kind, each, table=table.name, row_id=f"{row['id']}/{each[who]}") for each in found)


def _in_status(status: ApprovalStatus, at: datetime) -> Any:  # noqa: ANN401 - a clause
    late = approvals.c.status.in_(OPEN) & (approvals.c.expires_at <= at)
    if status is ApprovalStatus.EXPIRED:
        return or_(approvals.c.status == status, late)
    return (approvals.c.status == status) & ~late


def _row(approval: Approval) -> dict[str, Any]:
    return {**approval.model_dump(exclude={"answers", "delegations"}), "status": approval.status.value}
