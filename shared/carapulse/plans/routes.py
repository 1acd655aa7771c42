"""Plans over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.conditions import ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.plans.decisions import PlanDecision
from carapulse.plans.ending import archive_plan, cancel_plan
from carapulse.plans.examples import CANCELLING, CLOSING, PLANS, REVISIONS
from carapulse.plans.ports import PlanFilter, VersionFilter
from carapulse.plans.requests import CancelPlan, ClosePlan, CreatePlan, VersionInAddress
from carapulse.plans.timeline import TimelineEntry
from carapulse.plans.usecases import (
    close_plan,
    create_plan,
    diff_plan,
    get_plan,
    list_plans,
    read_decisions,
    read_timeline,
    revise_plan,
    risk_plan,
)
from carapulse.plans.versions import get_version, list_versions
from carapulse.plans.views import PlanDiff, PlanRisk, PlanSummary, PlanView, VersionSummary, VersionView
from carapulse.routing import Ports, ThisCall, needs, starts_work

router = APIRouter(tags=["plans"])


@router.post(
    "/v1/plans",
    name="create_plan",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("plan:create"), starts_work],
    openapi_extra=shows(PLANS),
)
def create(command: CreatePlan, tag: ThisTag, call: ThisCall, ports: Ports) -> PlanView:
    """Draft a plan and have it judged. What policy denies is answered with 403 and its reasons, and is not kept."""
    plan = create_plan(command, call, ports)
    return tag.at(f"/v1/plans/{plan.plan_id}", plan)


@router.get("/v1/plans", name="list_plans", dependencies=[needs("plan:read")])
def list_page(
    wanted: Annotated[PlanFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[PlanSummary]:
    """List plans, the newest first."""
    return pages.turn(lambda wanted: list_plans(wanted, call, ports), wanted)


@router.get("/v1/plans/{plan_id}", name="get_plan", dependencies=[needs("plan:read")])
def get(plan_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> PlanView:
    """Return a plan with its steps. Whoever answers the question about it names its ETag."""
    return tag.on(get_plan(plan_id, call, ports))


@router.post(
    "/v1/plans/{plan_id}/versions",
    name="revise_plan",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("plan:create"), starts_work],
    openapi_extra=shows(REVISIONS),
)
def revise(plan_id: str, command: CreatePlan, tag: ThisTag, call: ThisCall, ports: Ports) -> PlanView:
    """Make a further version of a plan. It is judged and answered anew; no earlier answer counts for it."""
    plan = revise_plan(plan_id, command, call, ports)
    return tag.at(f"/v1/plans/{plan.plan_id}", plan)


@router.get("/v1/plans/{plan_id}/versions", name="list_versions", dependencies=[needs("plan:read")])
def versions(
    plan_id: str, wanted: Annotated[VersionFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[VersionSummary]:
    """List the versions of a plan, the newest first."""
    return pages.turn(lambda wanted: list_versions(plan_id, wanted, call, ports), wanted)


@router.get("/v1/plans/{plan_id}/versions/{number}", name="get_version", dependencies=[needs("plan:read")])
def version(plan_id: str, number: VersionInAddress, tag: ThisTag, call: ThisCall, ports: Ports) -> VersionView:
    """Show one version of a plan, exactly as it was judged and digested."""
    return tag.on(get_version(plan_id, number, call, ports))


@router.get("/v1/plans/{plan_id}/diff", name="diff_plan", dependencies=[needs("plan:read")])
def diff(
    plan_id: str, call: ThisCall, ports: Ports, against: Annotated[VersionInAddress | None, Query()] = None
) -> PlanDiff:
    """Say what each step would change; with `against`, also how the plan differs from that version."""
    return diff_plan(plan_id, against, call, ports)


@router.get("/v1/plans/{plan_id}/risk", name="explain_risk", dependencies=[needs("plan:read")])
def risk(plan_id: str, call: ThisCall, ports: Ports) -> PlanRisk:
    """Say how dangerous a plan is, step by step and why, and how far it reaches."""
    return risk_plan(plan_id, call, ports)


@router.get("/v1/plans/{plan_id}/timeline", name="read_timeline", dependencies=[needs("plan:read")])
def timeline(plan_id: str, call: ThisCall, ports: Ports) -> Page[TimelineEntry]:
    """Tell everything that happened to a plan, from its first event to its last."""
    return Page(data=read_timeline(plan_id, call, ports))


@router.get("/v1/plans/{plan_id}/decisions", name="read_decisions", dependencies=[needs("plan:read")])
def decisions(plan_id: str, call: ThisCall, ports: Ports) -> Page[PlanDecision]:
    """List everything that policy decided about a plan: who asked, what it said, by which rules and of which input."""
    return Page(data=read_decisions(plan_id, call, ports))


@router.post(
    "/v1/plans/{plan_id}:close", name="close_plan", dependencies=[needs("plan:create")], openapi_extra=shows(CLOSING)
)
def close(plan_id: str, command: ClosePlan, call: ThisCall, ports: Ports) -> PlanSummary:
    """Close a plan that is not wanted any more."""
    return close_plan(plan_id, command, call, ports)


@router.post(
    "/v1/plans/{plan_id}:cancel",
    name="cancel_plan",
    dependencies=[needs("plan:cancel")],
    openapi_extra=shows(CANCELLING),
)
def cancel(plan_id: str, command: CancelPlan, call: ThisCall, ports: Ports) -> PlanSummary:
    """Take a plan back that waits. One that is being executed is a conflict that names the execution to cancel."""
    return cancel_plan(plan_id, command, call, ports)


@router.post("/v1/plans/{plan_id}:archive", name="archive_plan", dependencies=[needs("plan:archive")])
def archive(plan_id: str, call: ThisCall, ports: Ports) -> PlanSummary:
    """Put a plan away that is over: lists leave it out unless they are asked for `archived=true`."""
    return archive_plan(plan_id, call, ports)
