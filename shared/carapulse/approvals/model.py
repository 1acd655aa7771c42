"""The envelope: which version of which plan, who agreed, until when, for which one run. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints

from carapulse.approvals.errors import (
    AlreadyAnswered,
    AnswerDelegated,
    ApprovalClosed,
    ApprovalExpired,
    DelegationRefused,
    NotApproved,
    SelfApproval,
)
from carapulse.kernel.errors import Fault
from carapulse.kernel.names import TRIMMED
from carapulse.kernel.record import Record
from carapulse.plans.errors import PlanChanged

LIFETIME = timedelta(hours=24)
AnswerStatus = Literal["approved", "denied"]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000), TRIMMED]


class ApprovalStatus(StrEnum):
    """Where an envelope is in its life. Only `pending` and `approved` can change."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    USED = "used"
    REVOKED = "revoked"


OPEN = frozenset({ApprovalStatus.PENDING, ApprovalStatus.APPROVED})


class Answer(Record):
    """What one person said, and when."""

    approver: str = Field(min_length=1)
    status: AnswerStatus
    note: str | None = None
    at: AwareDatetime
    on_behalf_of: str | None = Field(default=None, description="whose answer it is, if it was handed on")


class Delegation(Record):
    """One person's answer, handed to another person until a moment. It can't be handed on, nor taken back."""

    delegator: str = Field(min_length=1)
    delegate: str = Field(min_length=1)
    note: str | None = None
    at: AwareDatetime
    until: AwareDatetime


class Approval(Record):
    """A question to people about one version of one plan, with all their answers."""

    id: str = Field(min_length=1)
    plan_id: str = Field(min_length=1)
    version: int = Field(ge=1)
    digest: str
    requested_by: str = Field(min_length=1)
    summary: str
    risk: str
    environment: str
    required: int = Field(ge=1, description="how many different people must agree")
    self_approval_allowed: bool = False
    status: ApprovalStatus = ApprovalStatus.PENDING
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    execution_id: str | None = Field(default=None, description="the one run that it was used for")
    answers: tuple[Answer, ...] = ()
    delegations: tuple[Delegation, ...] = ()

    @property
    def granted(self) -> int:
        """How many have agreed."""
        return sum(answer.status == "approved" for answer in self.answers)

    @property
    def self_approved(self) -> bool:
        """Whether the requester is among those who agreed."""
        return any(answer.approver == self.requested_by for answer in self.answers if answer.status == "approved")

    def decided(self, answer: Answer, *, digest: str) -> Self:
        """Return this approval with one more answer. Enough yeses grant it; one no, until it is used, ends it."""
        if self.status is not ApprovalStatus.PENDING and not self._can_still_be_denied(answer):
            raise ApprovalClosed(f"the approval is {self.status}", plan_id=self.plan_id, status=self.status)
        self._must_be_in_time(answer.at)
        self._must_be_about(digest)
        if answer.approver == self.requested_by and not self.self_approval_allowed:
            raise SelfApproval("whoever asked can't also approve", plan_id=self.plan_id)
        self._must_have_a_voice(answer.approver, answer.at)
        answers = (*self.answers, answer)
        if answer.status == "denied":
            return self._as(ApprovalStatus.DENIED, answers=answers, closed_at=answer.at)
        granted = sum(each.status == "approved" for each in answers)
        return self._as(ApprovalStatus.APPROVED if granted >= self.required else self.status, answers=answers)

    def lent_to(self, person: str, at: datetime) -> Delegation | None:
        """Return the delegation by which a person may answer at a moment, if there is one."""
        return next((each for each in self.delegations if each.delegate == person and at < each.until), None)

    def delegated(self, delegation: Delegation) -> Self:
        """Return this approval with one answer handed on. Each voice is heard once, by whomever it is given.

        Whoever asked neither hands on nor answers for others; nobody answers for two, and no delegate hands on.
        """
        if self.status is not ApprovalStatus.PENDING:
            raise ApprovalClosed(f"the approval is {self.status}", plan_id=self.plan_id, status=self.status)
        self._must_be_in_time(delegation.at)
        if delegation.delegator == self.requested_by:
            raise SelfApproval("whoever asked has no answer to hand on", plan_id=self.plan_id)
        self._must_have_a_voice(delegation.delegator, delegation.at)
        if self.lent_to(delegation.delegator, delegation.at) is not None:
            raise AnswerDelegated("an answer that was handed to you can't be handed on", plan_id=self.plan_id)
        if faults := tuple(self._faults_of(delegation)):
            raise DelegationRefused("the answer can't be handed on like this", faults=faults)
        return self.model_copy(update={"delegations": (*self.delegations, delegation)})

    def expired(self, at: datetime) -> Self:
        """Return this approval as expired; it must be open, and its time must have come."""
        if self.status not in OPEN:
            raise ApprovalClosed(f"the approval is {self.status}", plan_id=self.plan_id, status=self.status)
        if at < self.expires_at:
            raise NotApproved("the approval has not expired yet", plan_id=self.plan_id, expires_at=self.expires_at)
        return self._as(ApprovalStatus.EXPIRED, closed_at=at)

    def revoked(self, at: datetime) -> Self:
        """Return this approval as withdrawn, also while its run is under way: no further step may change anything."""
        if self.status not in OPEN | {ApprovalStatus.USED}:
            raise ApprovalClosed(f"the approval is {self.status}", plan_id=self.plan_id, status=self.status)
        return self._as(ApprovalStatus.REVOKED, closed_at=at)

    def used(self, execution_id: str, *, digest: str, at: datetime) -> Self:
        """Return this approval as used up by one run. Asked again for the same run, nothing changes."""
        self._must_be_about(digest)
        if self.status is ApprovalStatus.USED and self.execution_id == execution_id:
            return self
        if self.status is ApprovalStatus.PENDING:
            raise NotApproved("not everybody who must agree has agreed", plan_id=self.plan_id, required=self.required)
        if self.status is not ApprovalStatus.APPROVED:
            raise ApprovalClosed(f"the approval is {self.status}", plan_id=self.plan_id, status=self.status)
        self._must_be_in_time(at)
        return self._as(ApprovalStatus.USED, execution_id=execution_id, closed_at=at)

    def _must_have_a_voice(self, person: str, at: datetime) -> None:
        if any(person in {former.approver, former.on_behalf_of} for former in self.answers):
            raise AlreadyAnswered("you have answered already, or somebody has for you", plan_id=self.plan_id)
        lent = next((each for each in self.delegations if each.delegator == person and at < each.until), None)
        if lent is not None:
            raise AnswerDelegated("you have handed your answer on", delegate=lent.delegate, until=lent.until)

    def _faults_of(self, delegation: Delegation) -> Iterator[Fault]:
        to = delegation.delegate
        if to in {delegation.delegator, self.requested_by}:
            yield Fault(pointer="/to", code="not-another", detail="somebody else than you and whoever asked is needed")
        if any(to in {former.approver, former.on_behalf_of} for former in self.answers):
            yield Fault(pointer="/to", code="answered", detail="this person has answered already")
        if any(to in {each.delegator, each.delegate} for each in self.delegations if delegation.at < each.until):
            yield Fault(pointer="/to", code="delegated", detail="this person handed an answer on, or has one to give")
        if not delegation.at < delegation.until <= self.expires_at:
            detail = f"it ends after now, and with the approval at the latest: {self.expires_at.isoformat()}"
            yield Fault(pointer="/until", code="out-of-time", detail=detail)

    def _must_be_in_time(self, at: datetime) -> None:
        if at >= self.expires_at:
            raise ApprovalExpired("the approval was open until", plan_id=self.plan_id, expires_at=self.expires_at)

    def _must_be_about(self, digest: str) -> None:
        if digest != self.digest:
            raise PlanChanged("the plan is not the one that was judged", plan_id=self.plan_id, digest=self.digest)

    def _as(self, status: ApprovalStatus, **facts: object) -> Self:
        return self.model_copy(update={"status": status, **facts})

    def _can_still_be_denied(self, answer: Answer) -> bool:
        return self.status is ApprovalStatus.APPROVED and answer.status == "denied"


def still_valid(approval: Approval, digest: str, at: datetime, *, execution_id: str) -> bool:
    """Say whether a run may go on changing things on the strength of this approval.

    The run that used it may, for as long as the approval is not revoked: it was in time when the run began.
    """
    if approval.digest != digest:
        return False
    if approval.status is ApprovalStatus.USED:
        return approval.execution_id == execution_id
    return approval.status is ApprovalStatus.APPROVED and at < approval.expires_at
