"""Reading executions: one, many, and the lines that their tools write."""

from carapulse.executions.model import ExecutionState, Status
from carapulse.executions.ports import ExecutionPorts, Executions
from carapulse.executions.views import ExecutionPage, ExecutionSummary, ExecutionView, LineView
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import DEFAULT_LIMIT, Limit, cursor_of, key_of
from carapulse.kernel.errors import Invalid
from carapulse.kernel.record import Record
from carapulse.sse import Page, Row

_LINES = 200


class ExecutionFilter(Record):
    """Which executions are wanted, and which page of them."""

    plan_id: str | None = None
    status: Status | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


def get_execution(execution_id: str, call: Call, ports: ExecutionPorts) -> ExecutionView:
    """Return one execution with its steps."""
    with ports.begin(call) as work:
        state = work.executions.get(execution_id)
        version = work.plans.version(state.plan_id, state.plan_version)
    return ExecutionView.shown(state, version, ports.clock.now())


def read_state(execution_id: str, call: Call, ports: ExecutionPorts) -> ExecutionState:
    """Return how an execution stands."""
    with ports.begin(call) as work:
        executions: Executions = work.executions
        return executions.get(execution_id)


def list_executions(wanted: ExecutionFilter, call: Call, ports: ExecutionPorts) -> ExecutionPage:
    """Return executions, newest first."""
    with ports.begin(call) as work:
        states = work.executions.page(
            limit=wanted.limit + 1, before=key_of(wanted.cursor), plan_id=wanted.plan_id, status=wanted.status
        )
    shown = states[: wanted.limit]
    more = cursor_of(shown[-1].id) if len(states) > wanted.limit else None
    return ExecutionPage(data=tuple(ExecutionSummary.of(state) for state in shown), next_cursor=more)


def read_lines(execution_id: str, call: Call, ports: ExecutionPorts, after: str | None) -> Page:
    """Return the lines after a place, and the final status once no line can follow."""
    place = _place(after)
    with ports.begin(call) as work:
        state = work.executions.get(execution_id)
        lines = work.executions.lines_after(execution_id, place, _LINES)
    rows = (Row(str(line.n), "log", LineView.of(line).model_dump(mode="json")) for line in lines)
    return Page(tuple(rows), is_last=state.status.at_rest and len(lines) < _LINES)


def _place(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isascii() or not after.isdecimal() or len(after) > 18:  # noqa: PLR2004 - digits of a bigint
        raise Invalid("Last-Event-ID is not one that this stream gave out")
    return int(after)
