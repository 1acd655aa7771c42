"""Approvals over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.approvals.delegating import DelegateApproval, delegate_approval, lent_answer
from carapulse.approvals.examples import ANSWERING, DECIDING, DELEGATING
from carapulse.approvals.model import Approval
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import (
    AnswerApproval,
    DecideApproval,
    answer_approval,
    decide_approval,
    get_approval,
    list_approvals,
    revoke_approval,
    withdraw_approval,
)
from carapulse.conditions import IfMatch, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["approvals"])
_ONE = "/v1/approvals/{approval_id}"


@router.post(
    "/v1/approvals",
    name="decide_approval",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("approval:decide", lent_answer)],
    openapi_extra=shows(DECIDING),
)
def decide(command: DecideApproval, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports) -> Approval:
    """Record one person's answer to exactly one version of one plan, their own or one that was handed to them.

    `If-Match` is the plan's ETag, as it was read.
    """
    approval = decide_approval(command, call, ports, seen)
    return tag.at(f"/v1/approvals/{approval.id}", approval)


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


@router.get(_ONE, name="get_approval", dependencies=[needs("approval:read")])
def get(approval_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Approval:
    """Show one approval, with its answers and with whose answers were handed to whom."""
    return tag.on(get_approval(approval_id, call, ports))


@router.post(
    f"{_ONE}:decide",
    name="answer_approval",
    dependencies=[needs("approval:decide", lent_answer)],
    openapi_extra=shows(ANSWERING),
)
def answer(
    approval_id: str, command: AnswerApproval, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Approval:
    """Record one person's answer, their own or one that was handed to them; `If-Match` is the plan's ETag."""
    return tag.on(answer_approval(approval_id, command, call, ports, seen))


@router.post(f"{_ONE}:revoke", name="withdraw_approval", dependencies=[needs("approval:decide")])
def withdraw(approval_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Approval:
    """Withdraw this approval, also while its plan is being executed."""
    return tag.on(withdraw_approval(approval_id, call, ports))


@router.post(
    f"{_ONE}:delegate",
    name="delegate_approval",
    dependencies=[needs("approval:delegate")],
    openapi_extra=shows(DELEGATING),
)
def delegate(approval_id: str, command: DelegateApproval, tag: ThisTag, call: ThisCall, ports: Ports) -> Approval:
    """Hand one's own answer to this approval to another person, who may then give it whatever their role."""
    return tag.on(delegate_approval(approval_id, command, call, ports))
