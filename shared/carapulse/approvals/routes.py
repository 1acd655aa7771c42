"""Approvals over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.approvals.model import Approval
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import DecideApproval, decide_approval, list_approvals, revoke_approval
from carapulse.conditions import IfMatch
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["approvals"])


@router.post(
    "/v1/approvals", name="decide_approval", status_code=HTTPStatus.CREATED, dependencies=[needs("approval:decide")]
)
def decide(command: DecideApproval, seen: IfMatch, call: ThisCall, ports: Ports) -> Approval:
    """Record one person's answer to exactly one version of one plan; `If-Match` is the plan's ETag, as it was read."""
    return decide_approval(command, call, ports, seen)


@router.get("/v1/approvals", name="list_approvals", dependencies=[needs("approval:read")])
def list_page(
    wanted: Annotated[ApprovalFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[Approval]:
    """List approvals, the newest first; `status=pending` is the queue of what waits for people."""
    return pages.turn(lambda wanted: list_approvals(wanted, call, ports), wanted)


@router.post("/v1/plans/{plan_id}:revoke", name="revoke_approval", dependencies=[needs("approval:decide")])
def revoke(plan_id: str, call: ThisCall, ports: Ports) -> Approval:
    """Withdraw a plan's approval, also while it is being executed."""
    return revoke_approval(plan_id, call, ports)
