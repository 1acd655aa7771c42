"""Workflows over HTTP."""

from http import HTTPStatus

from fastapi import APIRouter

from carapulse.conditions import ThisTag
from carapulse.kernel.cursor import Page
from carapulse.plans.views import PlanView
from carapulse.routing import Ports, ThisCall, needs, starts_work
from carapulse.workflows.model import Workflow
from carapulse.workflows.usecases import StartWorkflow, get_workflow, list_workflows, start_workflow

router = APIRouter(tags=["workflows"])


@router.get("/v1/workflows", name="list_workflows", dependencies=[needs("workflow:read")])
def list_all(ports: Ports) -> Page[Workflow]:
    """List every workflow with its input schema and its steps."""
    return Page(data=list_workflows(ports))


@router.get("/v1/workflows/{name}", name="get_workflow", dependencies=[needs("workflow:read")])
def get(name: str, tag: ThisTag, ports: Ports) -> Workflow:
    """Return one workflow."""
    return tag.on(get_workflow(name, ports))


@router.post(
    "/v1/workflows/{name}:start",
    name="start_workflow",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("workflow:start"), starts_work],
)
def start(name: str, command: StartWorkflow, call: ThisCall, ports: Ports) -> PlanView:
    """Create the plan that a workflow makes; it is judged and approved like any other."""
    return start_workflow(name, command, call, ports)
