"""Approvals kept in Postgres."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, insert, or_, select, update

from carapulse.approvals.errors import ApprovalNotFound
from carapulse.approvals.model import OPEN, Answer, Approval, ApprovalStatus, Delegation
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.tables import answers, approvals, delegations
from carapulse.kernel.cursor import Page
from carapulse.kernel.record import Record
from carapulse.rows import read_row

_ENVELOPE = [column for column in approvals.c if column.name != "tenant"]
_ANSWERS = (
    select(answers)
    .where(answers.c.tenant == bindparam("tenant"), answers.c.approval_id.in_(bindparam("ids", expanding=True)))
    .order_by(answers.c.at, answers.c.approver)
)
_DELEGATIONS = (
    select(delegations)
    .where(delegations.c.tenant == bindparam("tenant"), delegations.c.approval_id.in_(bindparam("ids", expanding=True)))
    .order_by(delegations.c.at, delegations.c.delegator)
)
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
        """Return the one open approval of a plan, if there is one, locked until the transaction ends."""
        query = self._envelopes().where(approvals.c.plan_id == plan_id, approvals.c.status.in_(OPEN))
        return self._first(query.with_for_update())

    def latest_for(self, plan_id: str) -> Approval | None:
        """Return the approval of a plan that was asked for last, if any was."""
        query = self._envelopes().where(approvals.c.plan_id == plan_id)
        return self._first(query.order_by(approvals.c.id.desc()).limit(1))

    def add(self, approval: Approval) -> None:
        """Keep a new approval; a plan has at most one that is open."""
        self.connection.execute(_ADD, {"tenant": self.tenant, **_row(approval)})

    def replace(self, approval: Approval) -> None:
        """Keep the approval as it now is, with the answers that are new."""
        self.connection.execute(_REPLACE, {"of_tenant": self.tenant, "of_id": approval.id, **_row(approval)})
        known = {answer.approver for answer in self._answers([approval.id])[approval.id]}
        self._add_to(answers, approval, [each for each in approval.answers if each.approver not in known])
        lent = self._delegations([approval.id])[approval.id]
        self._add_to(delegations, approval, [each for each in approval.delegations if each not in lent])

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
        return select(*_ENVELOPE).where(approvals.c.tenant == self.tenant, self.visible(approvals.c.plan_id))

    def _first(self, query: Select[Any]) -> Approval | None:
        found = self._all(query)
        return found[0] if found else None

    def _all(self, query: Select[Any]) -> tuple[Approval, ...]:
        rows = [dict(row) for row in self.connection.execute(query).mappings()]
        ids = [row["id"] for row in rows]
        given, lent = self._answers(ids), self._delegations(ids)
        return tuple(
            _approval({**row, "answers": tuple(given[row["id"]]), "delegations": tuple(lent[row["id"]])})
            for row in rows
        )

    def _add_to(self, table: Table, approval: Approval, added: Sequence[Record]) -> None:
        owner = {"tenant": self.tenant, "approval_id": approval.id}
        if added:
            self.connection.execute(insert(table), [{**owner, **dict(each)} for each in added])

    def _rows_of(self, query: Select[Any], approval_ids: Sequence[str]) -> Iterable[Row[Any]]:
        return self.connection.execute(query, {"tenant": self.tenant, "ids": approval_ids}) if approval_ids else ()

    def _answers(self, approval_ids: Sequence[str]) -> dict[str, list[Answer]]:
        given: dict[str, list[Answer]] = defaultdict(list)
        for row in self._rows_of(_ANSWERS, approval_ids):
            said = {name: getattr(row, name) for name in Answer.model_fields}
            answer = read_row(Answer, said, table="approval_answers", row_id=f"{row.approval_id}/{row.approver}")
            given[row.approval_id].append(answer)
        return given

    def _delegations(self, approval_ids: Sequence[str]) -> dict[str, list[Delegation]]:
        lent: dict[str, list[Delegation]] = defaultdict(list)
        for row in self._rows_of(_DELEGATIONS, approval_ids):
            said = {name: getattr(row, name) for name in Delegation.model_fields}
            row_id = f"{row.approval_id}/{row.delegator}"
            lent[row.approval_id].append(read_row(Delegation, said, table="approval_delegations", row_id=row_id))
        return lent


def _approval(row: dict[str, Any]) -> Approval:
    return read_row(Approval, row, table="approvals", row_id=row["id"])


def _in_status(status: ApprovalStatus, at: datetime) -> Any:  # noqa: ANN401 - a clause
    late = approvals.c.status.in_(OPEN) & (approvals.c.expires_at <= at)
    if status is ApprovalStatus.EXPIRED:
        return or_(approvals.c.status == status, late)
    return (approvals.c.status == status) & ~late


def _row(approval: Approval) -> dict[str, Any]:
    return {**approval.model_dump(exclude={"answers", "delegations"}), "status": approval.status.value}
