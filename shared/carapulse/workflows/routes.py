"""Workflows over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.conditions import IfMatch, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.plans.requests import VersionInAddress
from carapulse.plans.views import PlanView
from carapulse.routing import Ports, ThisCall, needs, starts_work
from carapulse.workflows.examples import STARTING, VERSIONS
from carapulse.workflows.model import RecipeTerms, Workflow, WorkflowName
from carapulse.workflows.ports import VersionFilter, WorkflowFilter
from carapulse.workflows.requests import StartWorkflow
from carapulse.workflows.usecases import get_workflow, list_workflows, start_workflow
from carapulse.workflows.versions import add_version, get_version, list_versions, retire_version

router = APIRouter(tags=["workflows"])


@router.get("/v1/workflows", name="list_workflows", dependencies=[needs("workflow:read")])
def list_all(
    wanted: Annotated[WorkflowFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[Workflow]:
    """List the version of every workflow that is started now, by name: the tenant's own, else the program's."""
    return pages.turn(lambda wanted: list_workflows(wanted, call, ports), wanted)


@router.get("/v1/workflows/{name}", name="get_workflow", dependencies=[needs("workflow:read")])
def get(
    name: str, tag: ThisTag, call: ThisCall, ports: Ports, version: Annotated[VersionInAddress | None, Query()] = None
) -> Workflow:
    """Return the version of a workflow that is started now, or the one that is asked for."""
    return tag.on(get_workflow(name, version, call, ports))


@router.post(
    "/v1/workflows/{name}/versions",
    name="add_workflow_version",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("workflow:write")],
    openapi_extra=shows(VERSIONS),
)
def add(name: WorkflowName, terms: RecipeTerms, tag: ThisTag, call: ThisCall, ports: Ports) -> Workflow:
    """Keep a further version of a workflow, or the first of a new one; it is the one that is started from now on."""
    made = add_version(name, terms, call, ports)
    return tag.at(f"/v1/workflows/{made.name}/versions/{made.version}", made)


@router.get("/v1/workflows/{name}/versions", name="list_workflow_versions", dependencies=[needs("workflow:read")])
def list_numbers(
    name: str, wanted: Annotated[VersionFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[Workflow]:
    """List a workflow's versions, the newest first and retired ones too; the program's own ends the list."""
    return pages.turn(lambda wanted: list_versions(name, wanted, call, ports), wanted)


@router.get(
    "/v1/workflows/{name}/versions/{version}", name="get_workflow_version", dependencies=[needs("workflow:read")]
)
def get_number(name: str, version: VersionInAddress, tag: ThisTag, call: ThisCall, ports: Ports) -> Workflow:
    """Return one version of a workflow, also a retired one."""
    return tag.on(get_version(name, version, call, ports))


@router.delete(
    "/v1/workflows/{name}/versions/{version}",
    name="retire_workflow_version",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[needs("workflow:write")],
)
def retire(name: str, version: VersionInAddress, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Let a version be started no more: the one before it is the newest again, or the one of the program."""
    retire_version(name, version, call, ports, seen)


@router.post(
    "/v1/workflows/{name}:start",
    name="start_workflow",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("workflow:start"), starts_work],
    openapi_extra=shows(STARTING),
)
def start(name: str, command: StartWorkflow, tag: ThisTag, call: ThisCall, ports: Ports) -> PlanView:
    """Create the plan that a workflow makes; it is judged and approved like any other."""
    plan = start_workflow(name, command, call, ports)
    return tag.at(f"/v1/plans/{plan.plan_id}", plan)
