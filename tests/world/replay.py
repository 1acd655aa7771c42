"""Reading an execution out of the log alone."""

from collections.abc import Iterator

from sqlalchemy import text
from tests.world.rig import a_call

from carapulse.audit.chain import verify_chain
from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.bootstrap import App
from carapulse.executions import events
from carapulse.executions.applying import apply, begin
from carapulse.executions.events import ExecutionStarted
from carapulse.executions.model import ExecutionState


def replayed(app: App, plan_id: str, tenant: str = "acme") -> ExecutionState:
    """Return the state that the plan's stream gives, event by event."""
    with app.begin(a_call(tenant=tenant)) as work:
        query = text("SELECT type, at, body FROM events WHERE stream = :stream ORDER BY seq")
        rows = work.connection.execute(query, {"stream": plan_id}).all()
    state: ExecutionState | None = None
    for row in rows:
        kind = getattr(events, row.type, None)
        if kind is None:
            continue
        event = kind.model_validate(row.body)
        state = begin(event, row.at) if isinstance(event, ExecutionStarted) else apply(_known(state), event, row.at)
    return _known(state)


def log_of(app: App, plan_id: str) -> tuple[SealedEntry, ...]:
    """Return a plan's stream, oldest first."""
    with app.begin(a_call()) as work:
        return work.evidence.page(EventFilter(stream=plan_id, limit=200)).data[::-1]


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


def _known(state: ExecutionState | None) -> ExecutionState:
    assert state is not None, "the log begins with something else"
    return state
