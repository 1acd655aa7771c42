"""Executions kept in Postgres, and dry runs as those read them who decide about a plan."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from carapulse.executions.columns import changed, facts, parts, restored, whole
from carapulse.executions.errors import ExecutionNotFound, TargetLocked
from carapulse.executions.lines import Line
from carapulse.executions.model import ExecutionState, StepState
from carapulse.executions.ports import ExecutionFilter
from carapulse.executions.tables import (
    execution_steps,
    executions,
    run_leases,
    step_lines,
    step_outputs,
    target_locks,
)
from carapulse.kernel.cursor import Page
from carapulse.plans.dry_runs import DryRun, DryStep

_ADD_STEPS = text(
    "INSERT INTO execution_steps (tenant, execution_id, place, step_id, parts, facts)"
    " SELECT :tenant, :execution_id, place, step_id, parts, facts FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
    " AS row (place integer, step_id text, parts jsonb, facts jsonb)"
)
_LOCK_TARGETS = text(
    "INSERT INTO target_locks (tenant, target, execution_id)"
    " SELECT :tenant, target, :execution_id FROM unnest(CAST(:targets AS text[])) AS target"
    " ON CONFLICT DO NOTHING RETURNING target"
)
_RENEW = text(
    "UPDATE run_leases SET until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE tenant = :tenant AND id = ANY (:leases) AND until > clock_timestamp() RETURNING id"
)
_HELD = text(
    "SELECT id FROM run_leases WHERE tenant = :tenant AND execution_id = :execution_id AND until > clock_timestamp()"
)
_STEPS = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_array(execution_steps.c.parts, execution_steps.c.facts, execution_steps.c.captured),
                execution_steps.c.place,
            )
        )
    )
    .where(execution_steps.c.tenant == executions.c.tenant, execution_steps.c.execution_id == executions.c.id)
    .scalar_subquery()
    .label("steps")
)
_LATEST_DRY_RUN = (
    select(executions.c.id, executions.c.state, _STEPS)
    .where(
        executions.c.tenant == bindparam("tenant"),
        executions.c.plan_id == bindparam("plan_id"),
        executions.c.dry_run,
        executions.c.state["plan_version"].as_integer() == bindparam("number"),
    )
    .order_by(executions.c.id.desc())
    .limit(1)
)
_TRIED_OUT = "SELECT DISTINCT state ->> 'plan_version' FROM executions WHERE tenant = $1 AND plan_id = $2 AND dry_run"
_LONGEST = 500  # characters of what a step of a dry run said


@dataclass(frozen=True)
class PostgresExecutions:
    """The executions of one tenant whose plans may be seen, within one transaction."""

    connection: Connection
    tenant: str
    visible: Callable[[ColumnElement[str]], ColumnElement[bool]]

    def get(self, execution_id: str) -> ExecutionState:
        """Return the execution, or raise ExecutionNotFound."""
        return self._one(self._states().where(executions.c.id == execution_id), execution_id)

    def lock(self, execution_id: str) -> ExecutionState:
        """Return the execution and keep others from changing it until this unit of work ends.

        Locked first and read then: one statement would read the steps as they were before it waited for the lock.
        """
        locked = select(executions.c.id).where(executions.c.tenant == self.tenant, executions.c.id == execution_id)
        self.connection.execute(locked.with_for_update(key_share=True))
        return self.get(execution_id)

    def add(self, state: ExecutionState, *, look_at: datetime) -> None:
        """Keep a new execution; Conflict if the plan has an active one."""
        names = {"tenant": self.tenant, "id": state.id, "plan_id": state.plan_id, "started_at": state.started_at}
        kept = {"state": whole(state), "status": state.status, "dry_run": state.dry_run}
        self.connection.execute(insert(executions).values(**names, **kept, lines=0, look_at=look_at))
        rows = [
            {"place": place, "step_id": step.facts.id, "parts": parts(step), "facts": facts(step)}
            for place, step in enumerate(state.steps, 1)
        ]
        owner = {"tenant": self.tenant, "execution_id": state.id}
        self.connection.execute(_ADD_STEPS, {**owner, "rows": json.dumps(rows)})

    def replace(self, state: ExecutionState, *, since: ExecutionState, look_at: datetime | None) -> None:
        """Keep the execution as it now is, and when the clock is to look after it; `since` is how it was read."""
        query = update(executions).where(executions.c.tenant == self.tenant, executions.c.id == state.id)
        times = {"finished_at": state.finished_at, "look_at": look_at}
        self.connection.execute(query.values(status=state.status, state=whole(state), **times))
        for step in changed(state, since):
            query = update(execution_steps).where(
                execution_steps.c.tenant == self.tenant,
                execution_steps.c.execution_id == state.id,
                execution_steps.c.step_id == step.facts.id,
            )
            self.connection.execute(query.values(parts=parts(step)))

    def page(self, wanted: ExecutionFilter) -> Page[ExecutionState]:
        """Return executions, newest first: ids sort by the time they were made."""
        query = self._states().order_by(executions.c.id.desc())
        if wanted.cursor is not None:
            query = query.where(executions.c.id < wanted.cursor)
        if wanted.plan_id is not None:
            query = query.where(executions.c.plan_id == wanted.plan_id)
        if wanted.status is not None:
            query = query.where(executions.c.status == wanted.status)
        if wanted.since is not None:
            query = query.where(executions.c.started_at >= wanted.since)
        if wanted.until is not None:
            query = query.where(executions.c.started_at < wanted.until)
        found = [_state(row) for row in self.connection.execute(query.limit(wanted.limit + 1))]
        return wanted.cut(found, lambda last: last.id)

    def lock_targets(self, execution_id: str, targets: Iterable[str]) -> None:
        """Hold every target for this execution, or raise TargetLocked and hold none."""
        wanted = sorted(set(targets))
        while wanted:
            holder = {"tenant": self.tenant, "execution_id": execution_id}
            taken = set(self.connection.execute(_LOCK_TARGETS, {**holder, "targets": wanted}).scalars())
            wanted = [each for each in wanted if each not in taken]
            self._refuse_held(wanted)  # what is free by now is tried again

    def _refuse_held(self, targets: Sequence[str]) -> None:
        """Raise TargetLocked if any is held, with the holder where the caller may see it."""
        if not targets:
            return
        mine = (target_locks.c.tenant == self.tenant, target_locks.c.target.in_(targets))
        holder = (executions.c.tenant == self.tenant, executions.c.id == target_locks.c.execution_id)
        seen = target_locks.outerjoin(executions, and_(*holder, self.visible(executions.c.plan_id)))
        query = select(target_locks.c.target, executions.c.id).select_from(seen).where(*mine)
        held = self.connection.execute(query).first()
        if held is not None:
            by = {"execution_id": held.id} if held.id is not None else {}
            raise TargetLocked("another execution is changing this target", target=held.target, **by)

    def release(self, execution_id: str) -> None:
        """Let go of every target and every lease of an execution that is over; its workers may be lost."""
        for table in (target_locks, run_leases):
            mine = (table.c.tenant == self.tenant, table.c.execution_id == execution_id)
            self.connection.execute(delete(table).where(*mine))

    def leases(self, execution_id: str) -> frozenset[str]:
        """Return the leases on an execution that hold now."""
        held = {"tenant": self.tenant, "execution_id": execution_id}
        return frozenset(self.connection.execute(_HELD, held).scalars())

    def renew(self, leases: Sequence[str], seconds: float) -> frozenset[str]:
        """Keep leases for so many seconds more, and return those that were still held."""
        asked = {"tenant": self.tenant, "leases": list(leases), "seconds": seconds}
        return frozenset(self.connection.execute(_RENEW, asked).scalars())

    def outputs(self, execution_id: str) -> dict[str, Any]:
        """Return what each step's run gave at last, by step."""
        query = select(step_outputs.c.step_id, step_outputs.c.output).where(
            step_outputs.c.tenant == self.tenant,
            step_outputs.c.execution_id == execution_id,
            step_outputs.c.phase == "run",
        )
        return {row.step_id: row.output for row in self.connection.execute(query.order_by(step_outputs.c.fence))}

    def add_lines(self, execution_id: str, lines: Sequence[Line]) -> None:
        """Keep lines in the order given. Their numbers come from the locked execution, so no reader misses one."""
        if not lines:
            return
        mine = (executions.c.tenant == self.tenant, executions.c.id == execution_id)
        count = update(executions).where(*mine).values(lines=executions.c.lines + len(lines))
        last: int = self.connection.execute(count.returning(executions.c.lines)).scalar_one()
        names = ("execution_id", "step_id", "phase", "at", "line")
        rows = [
            {"tenant": self.tenant, "n": n, **{name: getattr(line, name) for name in names}}
            for n, line in enumerate(lines, last - len(lines) + 1)
        ]
        self.connection.execute(insert(step_lines), rows)

    def lines_after(self, execution_id: str, n: int, limit: int) -> list[Line]:
        """Return the lines after a number, in order."""
        mine = (step_lines.c.tenant == self.tenant, step_lines.c.execution_id == execution_id)
        query = select(step_lines).where(*mine, step_lines.c.n > n).order_by(step_lines.c.n).limit(limit)
        return [
            Line(row.execution_id, row.step_id, row.phase, row.at, row.line, row.n)
            for row in self.connection.execute(query)
        ]

    def _states(self) -> Select[Any]:
        query = select(executions.c.id, executions.c.state, _STEPS)
        return query.where(executions.c.tenant == self.tenant, self.visible(executions.c.plan_id))

    def _one(self, query: Select[Any], execution_id: str) -> ExecutionState:
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise ExecutionNotFound("there is no such execution", execution_id=execution_id)
        return _state(row)


def _state(row: Row[Any]) -> ExecutionState:
    return restored(row.id, row.state, row.steps)


def tried_out(plan_id: str, tenant: str) -> tuple[str, tuple[str, str]]:
    """Return the question, a statement and its values, which versions of a plan have had a dry run."""
    return _TRIED_OUT, (tenant, plan_id)


@dataclass(frozen=True, slots=True)
class PostgresDryRuns:
    """The dry runs of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def latest(self, plan_id: str, version: int) -> DryRun | None:
        """Return the newest dry run of exactly this version, if there was one."""
        asked = {"tenant": self.tenant, "plan_id": plan_id, "number": version}
        row = self.connection.execute(_LATEST_DRY_RUN, asked).one_or_none()
        return None if row is None else self._shown(_state(row))

    def _shown(self, state: ExecutionState) -> DryRun:
        said = self._said(state.id)
        return DryRun(
            execution_id=state.id,
            version=state.plan_version,
            status=state.status,
            started_at=state.started_at,
            finished_at=state.finished_at,
            steps=tuple(_step(step, said.get(step.facts.id)) for step in state.steps),
        )

    def _said(self, execution_id: str) -> dict[str, str]:
        """Return what each step said, in words where its tool has any."""
        mine = (step_outputs.c.tenant == self.tenant, step_outputs.c.execution_id == execution_id)
        query = select(step_outputs.c.step_id, step_outputs.c.output, step_outputs.c.text).where(*mine)
        rows = self.connection.execute(query.order_by(step_outputs.c.fence))
        return {row.step_id: _words(row.output, row.text)[:_LONGEST] for row in rows}


def _step(step: StepState, said: str | None) -> DryStep:
    run = step.run
    return DryStep(
        step_id=step.facts.id, stage=step.facts.stage, status=run.status, said=run.error.detail if run.error else said
    )


def _words(output: object, text: str) -> str:
    if isinstance(output, dict) and output.keys() == {"simulated"}:
        return str(output["simulated"])
    return text or json.dumps(output, ensure_ascii=False)
