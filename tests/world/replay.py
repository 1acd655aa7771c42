"""Reading an execution out of the log alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import text
from tests.world.rig import a_call

from carapulse.audit.chain import verify_chain
from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.bootstrap import App
from carapulse.executions import events
from carapulse.executions.applying import apply, begin
from carapulse.executions.events import ExecutionStarted
from carapulse.executions.model import ExecutionState


@dataclass(frozen=True)
class Moment:
    """One event of an execution, the execution as it was before it, and as it was after."""

    before: ExecutionState
    event: Any
    at: datetime
    after: ExecutionState


def moments(app: App, plan_id: str, tenant: str = "acme") -> Iterator[Moment]:
    """Yield what happened to a plan's execution after it began, oldest first."""
    (first, began), *later = _events(app, plan_id, tenant)
    state = begin(first, began)
    for event, at in later:
        after = apply(state, event, at)
        yield Moment(state, event, at, after)
        state = after


def replayed(app: App, plan_id: str, tenant: str = "acme") -> ExecutionState:
    """Return the state that the plan's stream gives, event by event."""
    (first, began), *later = _events(app, plan_id, tenant)
    return reduce(lambda state, each: apply(state, *each), later, begin(first, began))


def _events(app: App, plan_id: str, tenant: str) -> list[tuple[Any, datetime]]:
    """Return what a plan's stream says of its execution, from its beginning."""
    with app.begin(a_call(tenant=tenant)) as work:
        query = text("SELECT type, at, body FROM events WHERE stream = :stream ORDER BY seq")
        rows = work.connection.execute(query, {"stream": plan_id}).all()
    kinds = ((getattr(events, row.type, None), row) for row in rows)
    told = [(kind.model_validate(row.body), row.at) for kind, row in kinds if kind is not None]
    assert isinstance(told[0][0], ExecutionStarted), "the log begins with something else"
    return told


def log_of(app: App, plan_id: str) -> tuple[SealedEntry, ...]:
    """Return a plan's stream, oldest first."""
    with app.begin(a_call()) as work:
        page = work.evidence.page(EventFilter(stream=plan_id, limit=200))
        newest_first = list(page.data)
        while page.next_cursor is not None:
            page = work.evidence.page(EventFilter(stream=plan_id, limit=200, cursor=page.next_cursor))
            newest_first += page.data
    return tuple(newest_first[::-1])


def faults_of_the_log(app: App, plan_id: str, state: ExecutionState) -> Iterator[str]:
    """Yield what is wrong with a plan's stream: its chain, its head, and what it says of the execution's state."""
    log, again = log_of(app, plan_id), replayed(app, plan_id)
    with app.begin(a_call()) as work:
        head = work.evidence.head(plan_id)
    if broken := verify_chain(log):
        yield f"the chain is broken: {broken}"
    if (head.count, head.hash) != (len(log), log[-1].hash):
        yield f"the log does not end at its head: {head}"
    if again != state:
        differs = [name for name in ExecutionState.model_fields if getattr(again, name) != getattr(state, name)]
        yield f"the log replayed is not the state in {[(each, getattr(again, each)) for each in differs]}"
