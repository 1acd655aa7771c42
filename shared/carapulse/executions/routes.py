"""Executions over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request, Response

from carapulse.conditions import ThisTag
from carapulse.examples import shows
from carapulse.executions.comparing import ExecutionDiff, diff_execution
from carapulse.executions.examples import CANCELLING, EXECUTING, PAUSING, RESOLVING, RESUMING, RETRYING, UNDOING
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionFilter, ExecutionPorts
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
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.plans.views import PlanView
from carapulse.routing import Ports, ThisCall, needs, starts_work
from carapulse.sse import LastEventId, stream
from carapulse.waiting import Waiting

router = APIRouter(tags=["executions"])
_ONE = "/v1/executions/{execution_id}"


@dataclass(frozen=True, slots=True)
class Answering:
    """Does what changes an execution, and answers where to look; later, for a caller who waits for the end."""

    call: ThisCall
    ports: Ports
    waiting: Waiting
    tag: ThisTag

    async def __call__(self, change: Callable[[Call, ExecutionPorts], ExecutionState]) -> Accepted:
        """Return how the execution stands after the change."""
        state = await run_sync(change, self.call, self.ports)
        read = partial(get_execution, state.id, self.call, self.ports)
        shown = await self.waiting.until(_is_at_rest, read, await run_sync(read))
        return Accepted.of(self.tag.at(f"/v1/executions/{state.id}", shown))


Answer = Annotated[Answering, Depends()]


def _is_at_rest(found: ExecutionView) -> bool:
    return found.status.at_rest


@router.post(
    "/v1/plans/{plan_id}:execute",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("plan:execute"), starts_work],
    openapi_extra=shows(EXECUTING),
)
async def execute(plan_id: str, answer: Answer, command: ExecutePlan | None = None) -> Accepted:
    """Begin the one execution of a plan that policy, and everybody who must, has agreed to."""
    return await answer(partial(execute_plan, plan_id, command or ExecutePlan()))


@router.get("/v1/executions", dependencies=[needs("execution:read")])
def executions(
    wanted: Annotated[ExecutionFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[ExecutionSummary]:
    """List executions, newest first."""
    return pages.turn(lambda wanted: list_executions(wanted, call, ports), wanted)


@router.get("/v1/executions/{execution_id}", dependencies=[needs("execution:read")])
async def execution(execution_id: str, tag: ThisTag, call: ThisCall, ports: Ports, waiting: Waiting) -> ExecutionView:
    """Show one execution with its steps."""
    read = partial(get_execution, execution_id, call, ports)
    return tag.on(await waiting.until(_is_at_rest, read, await run_sync(read)))


@router.get(f"{_ONE}/diff", dependencies=[needs("execution:read")])
def diff(execution_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> ExecutionDiff:
    """Say of each step what was planned and what became of it: with which input, and what was seen."""
    return tag.on(diff_execution(execution_id, call, ports))


@router.post(
    f"{_ONE}:cancel",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("execution:cancel")],
    openapi_extra=shows(CANCELLING),
)
async def cancel(execution_id: str, answer: Answer, command: CancelExecution | None = None) -> Accepted:
    """Stop an execution; what was done is undone unless the caller wants it kept."""
    return await answer(partial(cancel_execution, execution_id, command or CancelExecution()))


@router.post(
    f"{_ONE}:pause",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("execution:pause")],
    openapi_extra=shows(PAUSING),
)
async def pause(execution_id: str, answer: Answer, command: PauseExecution | None = None) -> Accepted:
    """Let what runs be finished, and begin nothing more. The deadline ends a pause."""
    return await answer(partial(pause_execution, execution_id, command or PauseExecution()))


@router.post(
    f"{_ONE}:resume",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("execution:resume")],
    openapi_extra=shows(RESUMING),
)
async def resume(execution_id: str, answer: Answer, command: ResumeExecution | None = None) -> Accepted:
    """Go on with what is paused."""
    return await answer(partial(resume_execution, execution_id, command or ResumeExecution()))


@router.post(
    f"{_ONE}:retry",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("execution:retry"), starts_work],
    openapi_extra=shows(RETRYING),
)
async def retry(execution_id: str, command: RetryStep, answer: Answer) -> Accepted:
    """Try a failed step again that the execution waits for a person about."""
    return await answer(partial(retry_step, execution_id, command))


@router.post(
    f"{_ONE}:resolve",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("execution:resolve")],
    openapi_extra=shows(RESOLVING),
)
async def resolve(execution_id: str, command: ResolveStep, answer: Answer) -> Accepted:
    """Say whether the effect took place of a step that nobody can tell of. Only a person can."""
    return await answer(partial(resolve_step, execution_id, command))


@router.post(
    f"{_ONE}:undo",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("plan:create"), starts_work],
    openapi_extra=shows(UNDOING),
)
def undo(
    execution_id: str, tag: ThisTag, call: ThisCall, ports: Ports, command: UndoExecution | None = None
) -> PlanView:
    """Plan the way back from a run that is over. The plan is judged, approved and executed like any other."""
    plan = undo_execution(execution_id, command or UndoExecution(), call, ports)
    return tag.at(f"/v1/plans/{plan.plan_id}", plan)


@router.get(
    "/v1/executions/{execution_id}/logs",
    dependencies=[needs("execution:read")],
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def logs(
    execution_id: str, request: Request, call: ThisCall, ports: Ports, after: LastEventId = None
) -> Response:
    """Follow the lines that tools write, as server-sent events; resumes exactly after `Last-Event-ID`."""
    return await stream(request, partial(read_lines, execution_id, call, ports), after)
