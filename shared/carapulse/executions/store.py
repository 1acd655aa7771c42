"""Executions kept in Postgres."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from carapulse.executions.errors import ExecutionNotFound, TargetLocked
from carapulse.executions.lines import Line
from carapulse.executions.model import ExecutionState, Phase
from carapulse.executions.tables import executions, step_leases, step_lines, step_outputs, target_locks
from carapulse.tools.model import Outcome

_LEASE = text(
    "INSERT INTO step_leases (tenant, execution_id, step_id, phase, fence, until)"
    " VALUES (:tenant, :execution_id, :step_id, :phase, :fence, clock_timestamp() + make_interval(secs => :seconds))"
    " ON CONFLICT (tenant, execution_id, step_id, phase) DO UPDATE SET fence = excluded.fence, until = excluded.until"
)
_RENEW = text(
    "UPDATE step_leases SET until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE tenant = :tenant AND execution_id = :execution_id AND step_id = :step_id AND phase = :phase"
    " AND fence = :fence"
)
_HELD_FOR = text(
    "SELECT extract(epoch FROM until - clock_timestamp()) FROM step_leases"
    " WHERE tenant = :tenant AND execution_id = :execution_id AND step_id = :step_id AND phase = :phase"
)


@dataclass(frozen=True)
class PostgresExecutions:
    """The executions of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def get(self, execution_id: str) -> ExecutionState:
        """Return the execution, or raise ExecutionNotFound."""
        return self._read(execution_id, locked=False)

    def lock(self, execution_id: str) -> ExecutionState:
        """Return the execution and keep others from changing it until this unit of work ends."""
        return self._read(execution_id, locked=True)

    def add(self, state: ExecutionState) -> None:
        """Keep a new execution; Conflict if the plan has an active one."""
        row = {"tenant": self.tenant, "id": state.id, "plan_id": state.plan_id, "started_at": state.started_at}
        self.connection.execute(insert(executions).values(**row, status=state.status, state=_json(state)))

    def replace(self, state: ExecutionState) -> None:
        """Keep the execution as it now is."""
        query = update(executions).where(executions.c.tenant == self.tenant, executions.c.id == state.id)
        self.connection.execute(query.values(status=state.status, state=_json(state), finished_at=state.finished_at))

    def page(self, *, limit: int, before: str | None, plan_id: str | None, status: str | None) -> list[ExecutionState]:
        """Return the newest executions before an id, newest first: ids sort by the time they were made."""
        query = select(executions.c.state).where(executions.c.tenant == self.tenant)
        if before is not None:
            query = query.where(executions.c.id < before)
        if plan_id is not None:
            query = query.where(executions.c.plan_id == plan_id)
        if status is not None:
            query = query.where(executions.c.status == status)
        query = query.order_by(executions.c.id.desc()).limit(limit)
        return [ExecutionState.model_validate(state) for state in self.connection.execute(query).scalars()]

    def lock_targets(self, execution_id: str, targets: Iterable[str]) -> None:
        """Hold every target for this execution, or raise TargetLocked and hold none."""
        wanted = sorted(set(targets))
        if not wanted:
            return
        query = select(target_locks.c.target, target_locks.c.execution_id).where(
            target_locks.c.tenant == self.tenant, target_locks.c.target.in_(wanted)
        )
        held = self.connection.execute(query).first()
        if held is not None:
            raise TargetLocked(
                "another execution is changing this target", target=held.target, execution_id=held.execution_id
            )
        rows = [{"tenant": self.tenant, "target": each, "execution_id": execution_id} for each in wanted]
        self.connection.execute(insert(target_locks), rows)

    def release_targets(self, execution_id: str) -> None:
        """Let go of every target that this execution holds."""
        mine = (target_locks.c.tenant == self.tenant, target_locks.c.execution_id == execution_id)
        self.connection.execute(delete(target_locks).where(*mine))

    def lease(self, execution_id: str, step_id: str, phase: Phase, fence: int, seconds: float) -> None:
        """Give the step's lease to the holder of a fence."""
        self.connection.execute(_LEASE, self._key(execution_id, step_id, phase) | {"fence": fence, "seconds": seconds})

    def renew(self, execution_id: str, step_id: str, phase: Phase, fence: int, seconds: float) -> bool:
        """Keep the lease for so many seconds more; False if another fence holds it."""
        parameters = self._key(execution_id, step_id, phase) | {"fence": fence, "seconds": seconds}
        return bool(self.connection.execute(_RENEW, parameters).rowcount)

    def held_for(self, execution_id: str, step_id: str, phase: Phase) -> float:
        """Return for how many seconds the step's lease is still held; 0 or less if it is not."""
        seconds = self.connection.execute(_HELD_FOR, self._key(execution_id, step_id, phase)).scalar_one_or_none()
        return 0.0 if seconds is None else float(seconds)

    def end_lease(self, execution_id: str, step_id: str, phase: Phase, fence: int) -> None:
        """Give the lease back, if this fence holds it."""
        mine = (step_leases.c.tenant == self.tenant, step_leases.c.execution_id == execution_id)
        which = (step_leases.c.step_id == step_id, step_leases.c.phase == phase, step_leases.c.fence == fence)
        self.connection.execute(delete(step_leases).where(*mine, *which))

    def keep_output(self, key: tuple[str, str, Phase, int], outcome: Outcome, digest: str) -> None:
        """Keep what one attempt (execution, step, phase, fence) gave."""
        names = dict(zip(("execution_id", "step_id", "phase", "fence"), key, strict=True))
        said = {"output": outcome.output, "text": outcome.text, "truncated": outcome.truncated}
        self.connection.execute(insert(step_outputs).values(tenant=self.tenant, **names, digest=digest, **said))

    def output(self, execution_id: str, step_id: str, phase: Phase, fence: int) -> Any:  # noqa: ANN401 - any JSON value
        """Return what one attempt gave; None if it gave nothing."""
        query = select(step_outputs.c.output).where(
            step_outputs.c.tenant == self.tenant,
            step_outputs.c.execution_id == execution_id,
            step_outputs.c.step_id == step_id,
            step_outputs.c.phase == phase,
            step_outputs.c.fence == fence,
        )
        return self.connection.execute(query).scalar_one_or_none()

    def add_lines(self, lines: Sequence[Line]) -> None:
        """Keep lines in the order given."""
        names = ("execution_id", "step_id", "phase", "at", "line")
        rows = [{"tenant": self.tenant, **{name: getattr(line, name) for name in names}} for line in lines]
        if rows:
            self.connection.execute(insert(step_lines), rows)

    def lines_after(self, execution_id: str, n: int, limit: int) -> list[Line]:
        """Return the lines after a number, in order."""
        mine = (step_lines.c.tenant == self.tenant, step_lines.c.execution_id == execution_id)
        query = select(step_lines).where(*mine, step_lines.c.n > n).order_by(step_lines.c.n).limit(limit)
        return [
            Line(row.execution_id, row.step_id, row.phase, row.at, row.line, row.n)
            for row in self.connection.execute(query)
        ]

    def _read(self, execution_id: str, *, locked: bool) -> ExecutionState:
        query = select(executions.c.state).where(executions.c.tenant == self.tenant, executions.c.id == execution_id)
        state = self.connection.execute(query.with_for_update(key_share=True) if locked else query).scalar_one_or_none()
        if state is None:
            raise ExecutionNotFound("there is no such execution", execution_id=execution_id)
        return ExecutionState.model_validate(state)

    def _key(self, execution_id: str, step_id: str, phase: Phase) -> dict[str, Any]:
        return {"tenant": self.tenant, "execution_id": execution_id, "step_id": step_id, "phase": phase}


def _json(state: ExecutionState) -> dict[str, Any]:
    return state.model_dump(mode="json")
