"""The hot path: a run is read by one statement, and all that a step changes is written by one.

Steps that end at the same time are written together: whoever comes first writes for everybody who waits meanwhile, so
that many runs share a commit and one run alone waits for nobody. See `write_steps` in migration 0009.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pg8000.exceptions import DatabaseError
from pydantic_core import to_json

from carapulse.adapters.postgres.direct import Direct
from carapulse.approvals.model import Answer, Approval
from carapulse.audit.chain import sealed_row
from carapulse.executions.columns import parts, restored, whole
from carapulse.executions.errors import ExecutionNotFound
from carapulse.executions.journal import Entry, Head, Overdue, Standing, Written
from carapulse.executions.timing import GRACE
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem, Unavailable
from carapulse.kernel.ids import new_id
from carapulse.observe import get_logger
from carapulse.rows import read_row

log = get_logger(__name__)
_READ = "SELECT seq, hash, state, steps, leases, approval FROM read_run(:tenant, :run)"
_WRITE = "SELECT write_steps(:tenant, CAST(:items AS jsonb))"
_END_LEASE = "SELECT end_lease(:tenant, :lease)"
_LANDED = "SELECT holds_event(:tenant, :plan, CAST(:seq AS bigint), :hash)"
_OVERDUE = (
    "SELECT tenant, execution_id, requested_by FROM"
    " executions_to_look_after(CAST(:most AS integer), make_interval(secs => :again))"
)
_PATIENCE_S = 60.0  # how long a result is held while the database is away; after that it is as if the worker was lost
_MOST = 50  # entries in one statement


@dataclass
class _Item:
    """One entry on its way: as it is written, the head that it leads to, and what became of it."""

    tenant: str
    execution_id: str
    plan_id: str
    head: Head
    json: bytes
    done: bool = False
    written: bool = False
    problem: Exception | None = None


@dataclass
class PostgresJournal:
    """Reads and writes runs of every tenant, each statement bound to one."""

    direct: Direct
    sent: Callable[[], object] | None = None
    _waiting: list[_Item] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def read(self, execution_id: str, call: Call) -> Standing:
        """Return how an execution stands, or raise ExecutionNotFound."""
        rows = self.direct.run(_READ, tenant=call.tenant, run=execution_id)
        if not rows:
            raise ExecutionNotFound("there is no such execution", execution_id=execution_id)
        seq, digest, state, steps, leases, approval = rows[0]
        return Standing(restored(execution_id, state, steps), Head(seq, digest), _approval(approval), frozenset(leases))

    def write(self, entry: Entry, call: Call) -> Written | None:
        """Write an entry and return where that leads; None if something else has happened meanwhile.

        A lost connection leaves it open whether it was written; then the log is asked, so nothing is written twice.
        """
        written = self._write_surely(_item(entry, call))
        if entry.messages and written is not None and self.sent is not None:
            self.sent()
        return written

    def _write_surely(self, item: _Item) -> Written | None:
        """Write, and hold the result for a while if the database is away."""
        sent = time.monotonic()
        until, pause, doubtful = sent + _PATIENCE_S, 0.05, False
        while True:
            try:
                if doubtful and self._has_landed(item):
                    return Written(item.head, sent)
                sent = time.monotonic()
                return Written(item.head, sent) if self._write(item) else None
            except Unavailable as problem:
                if time.monotonic() + pause > until:
                    raise
                log.warning("result_held", execution_id=item.execution_id, detail=problem.detail)
            doubtful = True
            time.sleep(pause)
            pause = min(2.0, pause * 2)

    def end_lease(self, lease: str, call: Call) -> None:
        """Give a lease back."""
        self.direct.run(_END_LEASE, tenant=call.tenant, lease=lease)

    def overdue(self, most: int) -> list[Overdue]:
        """Return executions of every tenant whose moment has come and that nobody is at, and put them off a while."""
        rows = self.direct.run(_OVERDUE, most=most, again=GRACE.total_seconds())
        return [Overdue(tenant=row[0], execution_id=row[1], requested_by=row[2]) for row in rows]

    def _has_landed(self, item: _Item) -> bool:
        where = {"tenant": item.tenant, "plan": item.plan_id, "seq": item.head.seq, "hash": item.head.hash}
        ((found,),) = self.direct.run(_LANDED, **where)
        return bool(found)

    def _write(self, item: _Item) -> bool:
        """Wait for a turn to write, unless somebody who had it has written this too."""
        item.done, item.problem = False, None
        with self._lock:
            self._waiting.append(item)
        with self._turn:
            while not item.done:
                self._write_all(self._taken())
        if item.problem is not None:
            raise item.problem
        return item.written

    def _taken(self) -> list[_Item]:
        """Take what waits, in order; of each execution one entry, for the next one depends on what becomes of it."""
        taken: dict[tuple[str, str], _Item] = {}
        with self._lock:
            for item in self._waiting:
                if len(taken) < _MOST:
                    taken.setdefault((item.tenant, item.execution_id), item)
            chosen = {id(item) for item in taken.values()}
            self._waiting = [item for item in self._waiting if id(item) not in chosen]
        return list(taken.values())

    def _write_all(self, items: list[_Item]) -> None:
        """Write what was taken. Whoever waits for one of them is told, also of a failure that nobody foresaw."""
        try:
            for tenant, some in groupby(sorted(items, key=_tenant), key=_tenant):
                self._write_some(tenant, list(some))
        finally:
            for item in items:
                if not item.done:
                    item.problem, item.done = Unavailable("whoever wrote for others failed"), True

    def _write_some(self, tenant: str, items: Sequence[_Item]) -> None:
        """Write the entries of one tenant; if together they can't be written, each stands for itself."""
        try:
            together = b"[" + b",".join(item.json for item in items) + b"]"
            written = {name for (name,) in self.direct.run(_WRITE, tenant=tenant, items=together.decode())}
        except (Problem, DatabaseError) as error:
            if len(items) > 1 and not isinstance(error, Unavailable):
                for item in items:
                    self._write_some(tenant, [item])
                return
            for item in items:
                item.problem, item.done = error, True
            return
        for item in items:
            item.written, item.done = item.execution_id in written, True


def _tenant(item: _Item) -> str:
    return item.tenant


def _item(entry: Entry, call: Call) -> _Item:
    """Seal the events onto the stream, once, and spell everything as the statement takes it."""
    state, head, events = entry.state, entry.head, []
    for event in entry.events:
        row = sealed_row(event, state.plan_id, call, entry.at, (head.seq + 1, head.hash))
        head = Head(row["seq"], row["hash"])
        events.append(row)
    document = {
        "execution_id": state.id,
        "plan_id": state.plan_id,
        "seq": entry.head.seq,
        "next_seq": head.seq,
        "hash": head.hash,
        "status": state.status,
        "state": whole(state),
        "steps": list(_steps(entry)),
        "look_at": entry.look_at,
        "finished_at": state.finished_at,
        "events": events,
        "lines": len(entry.lines),
    }
    document |= {name: value for name, value in _rarely(entry, call) if value}
    return _Item(call.tenant, state.id, state.plan_id, head, to_json(document))


def _rarely(entry: Entry, call: Call) -> Iterable[tuple[str, Any]]:
    """Yield what most entries don't have."""
    yield "plan_done", entry.plan_done
    yield "lease", entry.lease and entry.lease[0]
    yield "lease_s", entry.lease and entry.lease[1]
    yield "ends", entry.ends
    yield "outputs", [_output(each) for each in entry.outputs]
    yield "messages", list(_messages(entry, call))
    yield "spoken", [_line(number, each) for number, each in enumerate(entry.lines, 1)]


def _approval(row: dict[str, Any] | None) -> Approval | None:
    if row is None:
        return None
    answers = [{name: answer[name] for name in Answer.model_fields} for answer in row["answers"]]
    # Who handed an answer to whom says nothing to a run: it asks whether the approval holds.
    kept = {name: row[name] for name in Approval.model_fields if name != "delegations"} | {"answers": answers}
    return read_row(Approval, kept, table="approvals", row_id=row["id"])


def _steps(entry: Entry) -> Iterable[dict[str, Any]]:
    for place, (new, old) in enumerate(zip(entry.state.steps, entry.since.steps, strict=True), 1):
        if new is not old:
            seen = entry.captured.get(new.facts.id)
            yield {"place": place, "parts": parts(new)} | ({} if seen is None else {"captured": seen})


def _messages(entry: Entry, call: Call) -> Iterable[dict[str, Any]]:
    for message, delay_s in entry.messages:
        yield {
            "id": new_id("message"),
            "queue": message.queue,
            "type": message.type,
            "body": message.model_dump(mode="json"),
            "actor": call.actor.model_dump(mode="json", exclude_defaults=True),
            "trace": call.trace,
            "delay_s": delay_s,
        }


def _output(each: Any) -> dict[str, Any]:  # noqa: ANN401 - an Output
    outcome = each.outcome
    kept = {"output": outcome.output, "text": outcome.text, "truncated": outcome.truncated, "digest": each.digest}
    return {"step_id": each.step_id, "phase": each.phase, "fence": each.fence, **kept}


def _line(number: int, line: Any) -> dict[str, Any]:  # noqa: ANN401 - a Line
    return {"n": number, "step_id": line.step_id, "phase": line.phase, "at": line.at, "line": line.line}
