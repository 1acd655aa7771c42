"""Schedules kept in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from carapulse.kernel.cursor import Page
from carapulse.rows import read_row
from carapulse.schedules.errors import ScheduleNotFound
from carapulse.schedules.model import Schedule
from carapulse.schedules.ports import ScheduleFilter
from carapulse.schedules.tables import schedules
from carapulse.workflows.ports import Use

_SCHEDULE = [schedules.c.id, schedules.c.body]


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

    def add(self, schedule: Schedule) -> None:
        """Keep a new schedule."""
        self.connection.execute(insert(schedules).values(tenant=self.tenant, id=schedule.id, **_row(schedule)))

    def replace(self, schedule: Schedule) -> None:
        """Keep the schedule as it now is."""
        query = update(schedules).where(schedules.c.tenant == self.tenant, schedules.c.id == schedule.id)
        self.connection.execute(query.values(**_row(schedule)))

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

    def _one(self, schedule_id: str, query: Select[Any]) -> Schedule:
        found = query.where(schedules.c.tenant == self.tenant, schedules.c.id == schedule_id)
        row = self.connection.execute(found).mappings().one_or_none()
        if row is None:
            raise ScheduleNotFound("no such schedule", schedule_id=schedule_id)
        return _schedule(row)


def _schedule(row: RowMapping) -> Schedule:
    return read_row(Schedule, row["body"], table="schedules", row_id=row["id"])


def _row(schedule: Schedule) -> dict[str, Any]:
    started = schedule.started
    return {
        "name": schedule.name,
        "enabled": schedule.enabled,
        "workflow": started and started.name,
        "body": schedule.model_dump(mode="json"),
    }
