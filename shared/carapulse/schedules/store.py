"""Schedules kept in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as insert_new

from carapulse.kernel.cursor import Page
from carapulse.rows import corrupt_row, read_row
from carapulse.schedules.errors import ScheduleNotFound
from carapulse.schedules.model import STANDING, Schedule, ScheduleTerms
from carapulse.schedules.ports import RunFilter, ScheduleFilter
from carapulse.schedules.runs import ScheduleRun
from carapulse.schedules.tables import schedule_runs, schedules
from carapulse.workflows.ports import Use

_SCHEDULE = [schedules.c.id, schedules.c.body, schedules.c.authors, schedules.c.standing]
_RUN = [column for column in schedule_runs.c if column.name != "tenant"]
_RUNS_KEPT = 100
# A program of before reads a body, too, as long as it says nothing that came later.
_LATER = {name: ScheduleTerms.model_fields[name].default for name in ("catch_up_s", "overlap_policy")}


@dataclass(frozen=True, slots=True)
class PostgresSchedules:
    """The schedules of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def get(self, schedule_id: str) -> Schedule:
        """Return the schedule, or raise ScheduleNotFound."""
        return self._one(schedule_id, select(*_SCHEDULE))

    def lock(self, schedule_id: str) -> Schedule:
        """Return the schedule and keep everybody else from changing it until the transaction ends."""
        return self._one(schedule_id, select(*_SCHEDULE).with_for_update())

    def id_of(self, name: str) -> str | None:
        """Return the id of the schedule of that name, or None."""
        query = select(schedules.c.id).where(schedules.c.tenant == self.tenant, schedules.c.name == name)
        found: str | None = self.connection.execute(query).scalar_one_or_none()
        return found

    def add(self, schedule: Schedule, next_at: datetime | None) -> None:
        """Keep a new schedule, and when it comes due first."""
        row = {**_row(schedule), "next_at": next_at, "standing": schedule.standing}
        self.connection.execute(insert(schedules).values(tenant=self.tenant, id=schedule.id, **row))

    def replace(self, schedule: Schedule) -> None:
        """Keep the schedule on its new terms; when it comes due next, and what came of it, stay as they are."""
        self._change(schedule.id, _row(schedule))

    def reschedule(self, schedule_id: str, next_at: datetime | None) -> None:
        """Keep when a schedule comes due next."""
        self._change(schedule_id, {"next_at": next_at})

    def due(self, schedule_id: str, at: datetime) -> tuple[Schedule, datetime | None] | None:
        """Return a schedule whose moment has come, locked, and that moment; None if it hasn't or somebody is at it."""
        query = select(*_SCHEDULE, schedules.c.next_at).where(*self._is_due(schedule_id, at))
        row = self.connection.execute(query.with_for_update(skip_locked=True)).mappings().one_or_none()
        return None if row is None else (_schedule(row), row["next_at"])

    def came_to(self, schedule: Schedule) -> None:
        """Keep what last came of a schedule."""
        self._change(schedule.id, {"standing": schedule.standing})

    def put_off(self, schedule_id: str, at: datetime, until: datetime, standing: dict[str, Any]) -> bool:
        """Leave alone what came due and can't be read, and say so in it; False if somebody else did."""
        said = schedules.c.standing.concat(literal(standing, JSONB))
        query = update(schedules).where(*self._is_due(schedule_id, at)).values(next_at=until, standing=said)
        return bool(self.connection.execute(query).rowcount)

    def delete(self, schedule_id: str) -> None:
        """Forget the schedule."""
        query = delete(schedules).where(schedules.c.tenant == self.tenant, schedules.c.id == schedule_id)
        self.connection.execute(query)

    def page(self, wanted: ScheduleFilter) -> Page[Schedule]:
        """Return schedules, the newest first."""
        query = select(*_SCHEDULE).where(schedules.c.tenant == self.tenant).order_by(schedules.c.id.desc())
        if wanted.enabled is not None:
            query = query.where(schedules.c.enabled == wanted.enabled)
        if wanted.cursor is not None:
            query = query.where(schedules.c.id < wanted.cursor)
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        return wanted.cut([_schedule(row) for row in rows], lambda schedule: schedule.id)

    def of_workflow(self, name: str) -> Sequence[Use]:
        """Return every schedule that starts a workflow."""
        query = select(*_SCHEDULE).where(schedules.c.tenant == self.tenant, schedules.c.workflow == name)
        found = [_schedule(row) for row in self.connection.execute(query).mappings()]
        return [Use(schedule_id=each.id, version=each.started and each.started.version) for each in found]

    def _is_due(self, schedule_id: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
        when = func.coalesce(schedules.c.next_at, text("'-infinity'"))
        return schedules.c.tenant == self.tenant, schedules.c.id == schedule_id, schedules.c.enabled, when <= at

    def _change(self, schedule_id: str, values: dict[str, Any]) -> None:
        query = update(schedules).where(schedules.c.tenant == self.tenant, schedules.c.id == schedule_id)
        self.connection.execute(query.values(**values))

    def _one(self, schedule_id: str, query: Select[Any]) -> Schedule:
        found = query.where(schedules.c.tenant == self.tenant, schedules.c.id == schedule_id)
        row = self.connection.execute(found).mappings().one_or_none()
        if row is None:
            raise ScheduleNotFound("no such schedule", schedule_id=schedule_id)
        return _schedule(row)


@dataclass(frozen=True, slots=True)
class PostgresScheduleRuns:
    """The latest runs of one tenant's schedules, within one transaction."""

    connection: Connection
    tenant: str

    def add(self, run: ScheduleRun) -> bool:
        """Keep a run, and let those go that are long over; False if there is one of that moment."""
        query = insert_new(schedule_runs).values(tenant=self.tenant, **_run_row(run)).on_conflict_do_nothing()
        if not self.connection.execute(query).rowcount:
            return False
        latest = select(schedule_runs.c.due_at).where(*self._of(run.schedule_id))
        oldest = latest.order_by(schedule_runs.c.due_at.desc()).offset(_RUNS_KEPT - 1).limit(1).scalar_subquery()
        over = (schedule_runs.c.status != "due", schedule_runs.c.due_at < oldest)
        self.connection.execute(delete(schedule_runs).where(*self._of(run.schedule_id), *over))
        return True

    def find(self, schedule_id: str, due_at: datetime) -> ScheduleRun | None:
        """Return a run, or None."""
        query = select(*_RUN).where(*self._of(schedule_id), schedule_runs.c.due_at == due_at)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _run(row)

    def is_pending(self, schedule_id: str) -> bool:
        """Say whether the plan of any run is still to be made."""
        query = select(schedule_runs.c.due_at).where(*self._of(schedule_id), schedule_runs.c.status == "due").limit(1)
        return self.connection.execute(query).one_or_none() is not None

    def replace(self, run: ScheduleRun) -> None:
        """Keep the run as it now is."""
        query = update(schedule_runs).where(*self._of(run.schedule_id), schedule_runs.c.due_at == run.due_at)
        self.connection.execute(query.values(**_run_row(run)))

    def page(self, schedule_id: str, wanted: RunFilter) -> Page[ScheduleRun]:
        """Return the runs of a schedule, the latest first."""
        query = select(*_RUN).where(*self._of(schedule_id)).order_by(schedule_runs.c.due_at.desc())
        if wanted.cursor is not None:
            query = query.where(schedule_runs.c.due_at < datetime.fromisoformat(wanted.cursor))
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        return wanted.cut([_run(row) for row in rows], lambda run: run.due_at.isoformat())

    def _of(self, schedule_id: str) -> tuple[ColumnElement[bool], ...]:
        return schedule_runs.c.tenant == self.tenant, schedule_runs.c.schedule_id == schedule_id


def _schedule(row: RowMapping) -> Schedule:
    body, standing = row["body"], row["standing"]
    if not isinstance(body, dict) or not isinstance(standing, dict):
        raise corrupt_row("schedules", row["id"], "it is no schedule")
    return read_row(Schedule, {**body, "authors": row["authors"], **standing}, table="schedules", row_id=row["id"])


def _row(schedule: Schedule) -> dict[str, Any]:
    started = schedule.started
    body = schedule.model_dump(mode="json", exclude={*STANDING, "authors"})
    return {
        "name": schedule.name,
        "enabled": schedule.enabled,
        "workflow": started and started.name,
        "authors": list(schedule.authors),
        "body": {name: value for name, value in body.items() if name not in _LATER or value != _LATER[name]},
    }


def _run(row: RowMapping) -> ScheduleRun:
    row_id = f"{row['schedule_id']}/{row['due_at'].isoformat()}"
    return read_row(ScheduleRun, dict(row), table="schedule_runs", row_id=row_id)


def _run_row(run: ScheduleRun) -> dict[str, Any]:
    return {**dict(run), "reasons": [each.model_dump(mode="json") for each in run.reasons]}
