"""Executions over HTTP."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from carapulse.conditions import ThisTag
from carapulse.executions.comparing import ExecutionDiff, diff_execution
from carapulse.executions.ports import ExecutionFilter
from carapulse.executions.reading import get_execution, list_executions, read_lines
from carapulse.executions.undoing import UndoExecution, undo_execution
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.views import Accepted, ExecutionSummary, ExecutionView
from carapulse.executions.wishes import (
    CancelExecution,
    PauseExecution,
    ResolveStep,
    ResumeExecution,
    RetryStep,
    cancel_execution,
    pause_execution,
    resolve_step,
    resume_execution,
    retry_step,
)
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.plans.views import PlanView
from carapulse.routing import Ports, ThisCall, needs
from carapulse.sse import LastEventId, stream

router = APIRouter(tags=["executions"])
_ONE = "/v1/executions/{execution_id}"


@router.post("/v1/plans/{plan_id}:execute", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("plan:execute")])
def execute(
    plan_id: str, call: ThisCall, ports: Ports, response: Response, command: ExecutePlan | None = None
) -> Accepted:
    """Begin the one execution of a plan that policy, and everybody who must, has agreed to."""
    state = execute_plan(plan_id, command or ExecutePlan(), call, ports)
    response.headers["Location"] = f"/v1/executions/{state.id}"
    return Accepted.of(state)


@router.get("/v1/executions", dependencies=[needs("execution:read")])
def executions(
    wanted: Annotated[ExecutionFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[ExecutionSummary]:
    """List executions, newest first."""
    return pages.turn(lambda wanted: list_executions(wanted, call, ports), wanted)


@router.get("/v1/executions/{execution_id}", dependencies=[needs("execution:read")])
def execution(execution_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> ExecutionView:
    """Show one execution with its steps."""
    return tag.on(get_execution(execution_id, call, ports))


@router.get(f"{_ONE}/diff", dependencies=[needs("execution:read")])
def diff(execution_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> ExecutionDiff:
    """Say of each step what was planned and what became of it: with which input, and what was seen."""
    return tag.on(diff_execution(execution_id, call, ports))


@router.post(f"{_ONE}:cancel", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("execution:cancel")])
def cancel(execution_id: str, call: ThisCall, ports: Ports, command: CancelExecution | None = None) -> Accepted:
    """Stop an execution; what was done is undone unless the caller wants it kept."""
    return Accepted.of(cancel_execution(execution_id, command or CancelExecution(), call, ports))


@router.post(f"{_ONE}:pause", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("execution:pause")])
def pause(execution_id: str, call: ThisCall, ports: Ports, command: PauseExecution | None = None) -> Accepted:
    """Let what runs be finished, and begin nothing more. The deadline ends a pause."""
    return Accepted.of(pause_execution(execution_id, command or PauseExecution(), call, ports))


@router.post(f"{_ONE}:resume", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("execution:resume")])
def resume(execution_id: str, call: ThisCall, ports: Ports, command: ResumeExecution | None = None) -> Accepted:
    """Go on with what is paused."""
    return Accepted.of(resume_execution(execution_id, command or ResumeExecution(), call, ports))


@router.post(f"{_ONE}:retry", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("execution:retry")])
def retry(execution_id: str, command: RetryStep, call: ThisCall, ports: Ports) -> Accepted:
    """Try a failed step again that the execution waits for a person about."""
    return Accepted.of(retry_step(execution_id, command, call, ports))


@router.post(f"{_ONE}:resolve", status_code=HTTPStatus.ACCEPTED, dependencies=[needs("execution:resolve")])
def resolve(execution_id: str, command: ResolveStep, call: ThisCall, ports: Ports) -> Accepted:
    """Say whether the effect took place of a step that nobody can tell of. Only a person can."""
    return Accepted.of(resolve_step(execution_id, command, call, ports))


@router.post(f"{_ONE}:undo", status_code=HTTPStatus.CREATED, dependencies=[needs("plan:create")])
def undo(execution_id: str, call: ThisCall, ports: Ports, command: UndoExecution | None = None) -> PlanView:
    """Plan the way back from a run that is over. The plan is judged, approved and executed like any other."""
    return undo_execution(execution_id, command or UndoExecution(), call, ports)


@router.get("/v1/executions/{execution_id}/logs", dependencies=[needs("execution:read")])
async def logs(
    execution_id: str, request: Request, call: ThisCall, ports: Ports, after: LastEventId = None
) -> Response:
    """Follow the lines that tools write, as server-sent events; resumes exactly after `Last-Event-ID`."""
    return await stream(request, partial(read_lines, execution_id, call, ports), after)
