"""Machines and their waits, kept in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Update, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from carapulse.orchestration.model import Machine, Wait
from carapulse.orchestration.tables import machine_waits, machines
from carapulse.rows import read_row

_FIRST_LOOK = func.make_interval(0, 0, 0, 0, 0, 0, 60)


@dataclass(frozen=True)
class PostgresMachines:
    """The machines of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def latest(self, plan_id: str) -> Machine | None:
        """Return the last machine of a plan, locked, if it had any."""
        query = (
            select(*(machines.c[name] for name in Machine.model_fields))
            .where(machines.c.tenant == self.tenant, machines.c.plan_id == plan_id)
            .order_by(machines.c.generation.desc())
            .limit(1)
        )
        row = self.connection.execute(query.with_for_update()).one_or_none()
        return None if row is None else read_row(Machine, row._asdict(), table="machines", row_id=plan_id)

    def add(self, machine: Machine, signed_by: str) -> None:
        """Keep a machine that is about to be started, and the id of the key that signs what it carries."""
        moments = {"moved_at": func.clock_timestamp(), "look_at": func.clock_timestamp() + _FIRST_LOOK}
        facts = machine.model_dump(exclude={"moved_at"}) | {"signed_by": signed_by}
        kept = insert(machines).values(tenant=self.tenant, **facts, **moments)
        self.connection.execute(kept.on_conflict_do_nothing())

    def started(self, plan_id: str, generation: int, signed_by: str) -> None:
        """Note that a machine was started; whose key signed it is not known if another one was to.

        It may have been started before by a process that died, with the key which that one had.
        """
        signer = case((machines.c.signed_by == signed_by, signed_by))
        self.connection.execute(self._noting(plan_id, generation).values(started=True, signed_by=signer))

    def ended(self, plan_id: str, generation: int) -> bool:
        """Note that a machine has ended; it stands still nowhere. False, and nothing, if that was noted before.

        By then there may be another machine of the plan, whose waits are not to be forgotten.
        """
        noted = self.connection.execute(self._noting(plan_id, generation).where(~machines.c.ended).values(ended=True))
        if noted.rowcount:
            self.connection.execute(delete(machine_waits).where(*self._of(plan_id)))
        return bool(noted.rowcount)

    def stand(self, wait: Wait) -> None:
        """Keep where a machine stands still, once."""
        kept = insert(machine_waits).values(tenant=self.tenant, **wait.model_dump(mode="python"))
        self.connection.execute(kept.on_conflict_do_nothing())

    def standing(self, plan_id: str) -> list[Wait]:
        """Return where the machines of a plan stand still."""
        query = select(*(machine_waits.c[name] for name in Wait.model_fields)).where(*self._of(plan_id))
        rows = self.connection.execute(query.order_by(machine_waits.c.id))
        return [read_row(Wait, row._asdict(), table="machine_waits", row_id=row.id) for row in rows]

    def go_on(self, wait_ids: Sequence[str]) -> None:
        """Forget where machines stood that were told to go on: they have moved."""
        mine = (machine_waits.c.tenant == self.tenant, machine_waits.c.id.in_(wait_ids))
        gone = self.connection.execute(delete(machine_waits).where(*mine).returning(machine_waits.c.plan_id))
        live = (machines.c.tenant == self.tenant, machines.c.plan_id.in_(gone.scalars().all()), ~machines.c.ended)
        self.connection.execute(update(machines).where(*live).values(moved_at=func.clock_timestamp()))

    def moved(self, plan_id: str, generation: int) -> bool:
        """Note that a machine was told something; False for one that has ended, or that another took over from."""
        noting = self._noting(plan_id, generation).where(~machines.c.ended)
        return bool(self.connection.execute(noting.values(moved_at=func.clock_timestamp())).rowcount)

    def _noting(self, plan_id: str, generation: int) -> Update:
        return update(machines).where(
            machines.c.tenant == self.tenant, machines.c.plan_id == plan_id, machines.c.generation == generation
        )

    def _of(self, plan_id: str) -> tuple[ColumnElement[bool], ...]:
        return (machine_waits.c.tenant == self.tenant, machine_waits.c.plan_id == plan_id)
