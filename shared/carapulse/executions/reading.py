"""Reading executions: one, many, and the lines that their tools write."""

from carapulse import sse
from carapulse.executions.ports import ExecutionFilter, ExecutionPorts
from carapulse.executions.views import ExecutionSummary, ExecutionView, LineView
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.errors import Invalid

_LINES = 200


def get_execution(execution_id: str, call: Call, ports: ExecutionPorts) -> ExecutionView:
    """Return one execution with its steps."""
    with ports.begin(call) as work:
        state = work.executions.get(execution_id)
        version = work.plans.version(state.plan_id, state.plan_version)
    return ExecutionView.shown(state, version, ports.clock.now())


def list_executions(wanted: ExecutionFilter, call: Call, ports: ExecutionPorts) -> Page[ExecutionSummary]:
    """Return executions, newest first."""
    with ports.begin(call) as work:
        page = work.executions.page(wanted)
    return Page(data=tuple(ExecutionSummary.of(state) for state in page.data), next_cursor=page.next_cursor)


def read_lines(execution_id: str, call: Call, ports: ExecutionPorts, after: str | None) -> sse.Page:
    """Return the lines after a place, and the final status once no line can follow."""
    place = _place(after)
    with ports.begin(call) as work:
        state = work.executions.get(execution_id)
        lines = work.executions.lines_after(execution_id, place, _LINES)
    rows = (sse.Row(str(line.n), "log", LineView.of(line).model_dump(mode="json")) for line in lines)
    return sse.Page(tuple(rows), is_last=state.status.at_rest and len(lines) < _LINES)


def _place(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isascii() or not after.isdecimal() or len(after) > 18:  # noqa: PLR2004 - digits of a bigint
        raise Invalid("Last-Event-ID is not one that this stream gave out")
    return int(after)
