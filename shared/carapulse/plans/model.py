"""The plan: immutable versions that are judged, and the head that says where it stands. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field

from carapulse.kernel.canonical import digest
from carapulse.kernel.context import Context
from carapulse.kernel.record import Record
from carapulse.plans.constraints import Constraints, MaintenanceWindow
from carapulse.plans.document import document_of
from carapulse.plans.errors import PlanBusy, PlanChanged, PlanNotApproved, PlanNotOpen, PlanNotOver
from carapulse.plans.steps import AUTOMATIC, Group, OutputRef, PlanStep, Retry, Stage, StepId, Undo, UndoAction, Wait
from carapulse.policy.model import Decision, Outcome, Reason
from carapulse.tools.model import JsonObject, Risk

__all__ = [
    "AUTOMATIC",
    "BlastRadius",
    "Constraints",
    "Group",
    "MaintenanceWindow",
    "OutputRef",
    "Plan",
    "PlanStatus",
    "PlanStep",
    "PlanVersion",
    "Retry",
    "Stage",
    "StepId",
    "Trigger",
    "Undo",
    "UndoAction",
    "Wait",
    "WorkflowUse",
]

Trigger = Literal["manual", "alert", "webhook", "scheduled", "workflow"]
BlastRadius = Literal["namespace", "cluster", "account"]


class PlanStatus(StrEnum):
    """Where a plan is in its life."""

    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    EXECUTING = "executing"
    DONE = "done"
    CLOSED = "closed"


_WAITING = {PlanStatus.AWAITING_APPROVAL, PlanStatus.APPROVED}
_OPEN = _WAITING | {PlanStatus.EXECUTING}


class WorkflowUse(Record):
    """The recipe that a plan was made from."""

    name: str
    version: int
    digest: str
    input: JsonObject


class PlanVersion(Record):
    """Exactly what is judged, approved and run. Never changed once it is kept."""

    plan_id: str = Field(min_length=1)
    version: int = Field(ge=1)
    summary: str
    intent: str | None = None
    trigger: Trigger
    trusted: bool = Field(description="whether whoever triggered it proved who they are")
    context: Context
    constraints: Constraints
    steps: tuple[PlanStep, ...] = Field(min_length=1)
    groups: dict[StepId, Group] = Field(default_factory=dict, description="steps that were made of one, by its id")
    risk: Risk
    targets: tuple[str, ...]
    unbounded: bool
    blast_radius: BlastRadius
    tool_digests: dict[str, str]
    workflow: WorkflowUse | None = None
    meta: JsonObject = Field(default_factory=dict)
    requested_by: str = Field(min_length=1)
    requested_for: str | None = Field(default=None, description="who answers for the key that asked")
    authors: tuple[str, ...] = Field(default=(), description="who wrote the schedule or the source that asked")
    created_at: AwareDatetime

    @property
    def digest(self) -> str:
        """Identify all of it, so that nothing else can be approved or run."""
        return digest(self.document())

    def document(self) -> dict[str, Any]:
        """Return the JSON object that is kept and digested."""
        return document_of(self)

    @property
    def mutating(self) -> bool:
        """Whether any step changes anything outside."""
        return any(step.mutating for step in self.steps)

    @property
    def irreversible(self) -> bool:
        """Whether any step that changes something knows no way back."""
        return any(step.irreversible for step in self.steps)

    @property
    def irreversible_steps(self) -> tuple[StepId, ...]:
        """The steps that change something and know no way back."""
        return tuple(step.id for step in self.steps if step.irreversible)

    @property
    def point_of_no_return(self) -> StepId | None:
        """The first step after which nobody can go back, or means to."""
        return next((step.id for step in self.steps if step.point_of_no_return or step.irreversible), None)

    @property
    def undoes(self) -> str | None:
        """The run that it goes back on, if it does."""
        undone = self.meta.get("undoes")
        return None if undone is None else str(undone)

    @property
    def locks(self) -> tuple[str, ...]:
        """What nobody else may change during a run. A report only adds a remark, so it keeps nobody waiting."""
        acting = (step for step in self.steps if step.stage is not Stage.REPORT)
        return tuple(dict.fromkeys(name for step in acting for name in step.targets))

    def step(self, step_id: str) -> PlanStep | None:
        """Return the step of that id, if the plan has one."""
        return next((step for step in self.steps if step.id == step_id), None)


class Plan(Record):
    """The head of a plan: its current version and where that stands."""

    id: str = Field(min_length=1)
    version: int = Field(ge=1)
    digest: str
    status: PlanStatus
    risk: Risk
    decision: Outcome
    decision_id: str
    reasons: tuple[Reason, ...]
    approvals_required: int = Field(ge=0)
    self_approval: bool = Field(description="whether the requester may approve, in an environment set up for that")
    summary: str
    trigger: Trigger
    environment: str
    service: str | None = None
    created_at: AwareDatetime
    requested_by: str
    execution_id: str | None = None
    archived_at: AwareDatetime | None = Field(default=None, description="since when lists leave it out")

    @property
    def is_open(self) -> bool:
        """Whether it waits, for an answer or to be executed, or is being executed."""
        return self.status in _OPEN

    @classmethod
    def of(cls, version: PlanVersion, decision: Decision, *, self_approval: bool) -> Self:
        """Return the head of a version that policy did not deny."""
        waits = decision.outcome == "require_approval"
        return cls(
            id=version.plan_id,
            version=version.version,
            digest=version.digest,
            status=PlanStatus.AWAITING_APPROVAL if waits else PlanStatus.APPROVED,
            risk=version.risk,
            decision=decision.outcome,
            decision_id=decision.id,
            reasons=decision.reasons,
            approvals_required=decision.approvals_required,
            self_approval=waits and self_approval,
            summary=version.summary,
            trigger=version.trigger,
            environment=version.context.environment,
            service=version.context.service,
            created_at=version.created_at,
            requested_by=version.requested_by,
        )

    def revised(self, version: PlanVersion, decision: Decision, *, self_approval: bool) -> Self:
        """Return this plan with a further version, which is answered anew. What runs or ran stays as it is."""
        if self.status is PlanStatus.EXECUTING:
            raise PlanBusy("the plan is being executed", plan_id=self.id, execution_id=self.execution_id)
        if self.status in {PlanStatus.DONE, PlanStatus.CLOSED}:
            raise PlanNotOpen(f"the plan is {self.status}", plan_id=self.id, status=self.status)
        if version.version != self.version + 1:
            raise PlanChanged("somebody else has revised the plan", plan_id=self.id, version=self.version)
        new = self.of(version, decision, self_approval=self_approval)
        return new.model_copy(update={"created_at": self.created_at})

    def approved(self, digest: str) -> Self:
        """Return this plan as approved, provided it is the plan that was judged."""
        self._must_be(digest)
        return self._from({PlanStatus.AWAITING_APPROVAL}, PlanStatus.APPROVED)

    def rejected(self, digest: str) -> Self:
        """Return this plan as rejected. A no counts until the plan is executed, also after enough have said yes."""
        self._must_be(digest)
        return self._from({PlanStatus.AWAITING_APPROVAL, PlanStatus.APPROVED}, PlanStatus.REJECTED)

    def expired(self) -> Self:
        """Return this plan as expired: nobody answered, or nobody used the answer, in time."""
        return self._from({PlanStatus.AWAITING_APPROVAL, PlanStatus.APPROVED}, PlanStatus.EXPIRED)

    def executing(self, execution_id: str, digest: str) -> Self:
        """Return this plan as being executed. An approved plan is executed once."""
        self._must_be(digest)
        if self.status is PlanStatus.EXECUTING:
            raise PlanBusy("the plan is being executed", plan_id=self.id, execution_id=self.execution_id)
        if self.status is not PlanStatus.APPROVED:
            raise PlanNotApproved(f"the plan is {self.status}, not approved", plan_id=self.id, status=self.status)
        return self.model_copy(update={"status": PlanStatus.EXECUTING, "execution_id": execution_id})

    def may_be_tried_out(self, digest: str) -> None:
        """Return if a dry run may show what this plan would do: while people are asked, and until it is executed."""
        self._must_be(digest)
        if self.status not in {PlanStatus.AWAITING_APPROVAL, PlanStatus.APPROVED}:
            raise PlanNotOpen(f"the plan is {self.status}", plan_id=self.id, status=self.status)

    def done(self) -> Self:
        """Return this plan as executed, whatever came of it."""
        return self._from({PlanStatus.EXECUTING}, PlanStatus.DONE)

    def closed(self) -> Self:
        """Return this plan as closed: it is not wanted any more. A closed plan stays closed."""
        if self.status is PlanStatus.EXECUTING:
            raise PlanBusy("cancel the execution instead", plan_id=self.id, execution_id=self.execution_id)
        return self._from(set(PlanStatus) - {PlanStatus.DONE}, PlanStatus.CLOSED)

    def cancelled(self) -> Self:
        """Return this plan as closed because it was taken back while it waited, for an answer or to be executed."""
        if self.status is PlanStatus.EXECUTING:
            raise PlanBusy("cancel its execution instead", plan_id=self.id, execution_id=self.execution_id)
        return self._from(_WAITING, PlanStatus.CLOSED)

    def archived(self, at: datetime) -> Self:
        """Return this plan as put away; only what is over can be. What is revised later is in the lists again."""
        if self.is_open:
            raise PlanNotOver(f"the plan is {self.status}", plan_id=self.id, status=self.status)
        return self.model_copy(update={"archived_at": at})

    def _must_be(self, digest: str) -> None:
        if digest != self.digest:
            raise PlanChanged("the plan is not the one that was judged", plan_id=self.id, digest=self.digest)

    def _from(self, allowed: set[PlanStatus], status: PlanStatus) -> Self:
        if self.status not in allowed:
            raise PlanNotOpen(f"the plan is {self.status}", plan_id=self.id, status=self.status)
        return self.model_copy(update={"status": status})
