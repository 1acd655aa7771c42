"""Executions over HTTP."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from carapulse.executions.reading import ExecutionFilter, get_execution, list_executions, read_lines
from carapulse.executions.usecases import CancelExecution, ExecutePlan, cancel_execution, execute_plan
from carapulse.executions.views import Accepted, ExecutionPage, ExecutionView
from carapulse.routing import Ports, ThisCall, needs
from carapulse.sse import LastEventId, stream

router = APIRouter(tags=["executions"])


@router.post("/v1/plans/{plan_id}:execute", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("plan:execute")])
def execute(
    plan_id: str, call: ThisCall, ports: Ports, response: Response, command: ExecutePlan | None = None
) -> Accepted:
    """Begin the one execution of a plan that policy, and everybody who must, has agreed to."""
    state = execute_plan(plan_id, command or ExecutePlan(), call, ports)
    response.headers["Location"] = f"/v1/executions/{state.id}"
    return Accepted(execution_id=state.id, plan_id=plan_id, status=state.status)


@router.get("/v1/executions", dependencies=[needs("execution:read")])
def executions(wanted: Annotated[ExecutionFilter, Query()], call: ThisCall, ports: Ports) -> ExecutionPage:
    """List executions, newest first."""
    return list_executions(wanted, call, ports)


@router.get("/v1/executions/{execution_id}", dependencies=[needs("execution:read")])
def execution(execution_id: str, call: ThisCall, ports: Ports) -> ExecutionView:
    """Show one execution with its steps."""
    return get_execution(execution_id, call, ports)


@router.post(
    "/v1/executions/{execution_id}:cancel", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("execution:cancel")]
)
def cancel(execution_id: str, call: ThisCall, ports: Ports, command: CancelExecution | None = None) -> Accepted:
    """Stop an execution; what was done is undone unless the caller wants it kept."""
    state = cancel_execution(execution_id, command or CancelExecution(), call, ports)
    return Accepted(execution_id=state.id, plan_id=state.plan_id, status=state.status)


@router.get("/v1/executions/{execution_id}/logs", dependencies=[needs("execution:read")])
async def logs(
    execution_id: str, request: Request, call: ThisCall, ports: Ports, after: LastEventId = None
) -> Response:
    """Follow the lines that tools write, as server-sent events; resumes exactly after `Last-Event-ID`."""
    return await stream(request, partial(read_lines, execution_id, call, ports), after)
