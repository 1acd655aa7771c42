"""Approvals, as tests need them."""

from datetime import datetime
from typing import Any

from tests.builders.plans import NOON

from carapulse.approvals.model import LIFETIME, Answer, AnswerStatus, Approval
from carapulse.kernel.ids import new_id


def an_approval(**facts: Any) -> Approval:
    given: dict[str, Any] = {
        "id": new_id("approval"),
        "plan_id": "plan_1",
        "version": 1,
        "digest": "sha256:aa",
        "requested_by": "ada",
        "summary": "Scale checkout to 3",
        "risk": "medium",
        "environment": "dev",
        "required": 1,
        "requested_at": NOON,
        "expires_at": NOON + LIFETIME,
    }
    return Approval(**{**given, **facts})


def an_answer(by: str = "bob", status: AnswerStatus = "approved", *, at: datetime = NOON) -> Answer:
    return Answer(approver=by, status=status, note="looked at it", at=at)
