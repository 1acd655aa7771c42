"""Reading an execution out of the log alone."""

from sqlalchemy import text
from tests.world.rig import a_call

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


def _known(state: ExecutionState | None) -> ExecutionState:
    assert state is not None, "the log begins with something else"
    return state
