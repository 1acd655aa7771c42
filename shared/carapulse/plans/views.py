"""What people are shown of a plan."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field

from carapulse.kernel.context import Context
from carapulse.kernel.record import Record
from carapulse.plans.dry_runs import DryRun
from carapulse.plans.model import (
    BlastRadius,
    Constraints,
    Plan,
    PlanStatus,
    PlanStep,
    PlanVersion,
    Trigger,
    WorkflowUse,
)
from carapulse.plans.steps import Group, OutputRef, Stage, StepId, Undo, Wait
from carapulse.policy.model import Outcome, Reason
from carapulse.tools.expectations import Expectation
from carapulse.tools.model import WAIT, Effect, JsonObject, Reversibility, Risk

Tier = Literal["read", "safe", "break_glass"]


class PlanSummary(Record):
    """A plan in a list. `self_approval`: the requester may approve it, by this installation's settings."""

    plan_id: str
    version: int
    digest: str
    status: PlanStatus
    summary: str
    risk_level: Risk
    decision: Outcome
    approvals_required: int
    self_approval: bool
    trigger: Trigger
    environment: str
    service: str | None
    requested_by: str
    created_at: AwareDatetime
    execution_id: str | None
    archived_at: AwareDatetime | None = Field(description="since when lists leave it out")

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return what a list shows of a plan."""
        facts = {name: getattr(plan, name) for name in _HEAD}
        return cls(plan_id=plan.id, risk_level=plan.risk, **facts)


_HEAD = tuple(PlanSummary.model_fields.keys() & Plan.model_fields.keys())


class PlanView(PlanSummary):
    """A plan with everything that its approvers decide about."""

    reasons: tuple[Reason, ...]
    decision_id: str
    intent: str | None
    trusted: bool
    context: Context
    constraints: Constraints
    steps: tuple[PlanStep, ...]
    groups: dict[StepId, Group]
    point_of_no_return: StepId | None = Field(description="the first step after which nobody goes back")
    irreversible_steps: tuple[StepId, ...] = Field(description="what changes something and knows no way back")
    targets: tuple[str, ...]
    unbounded: bool
    blast_radius: BlastRadius
    workflow: WorkflowUse | None
    meta: JsonObject
    dry_run: DryRun | None = Field(description="the newest dry run of this very version")

    @classmethod
    def with_steps(cls, plan: Plan, version: PlanVersion, dry_run: DryRun | None = None) -> Self:
        """Return what is shown of a plan and its current version."""
        facts = {name: getattr(version, name) for name in _OF_VERSION}
        facts |= {name: getattr(plan, name) for name in _OF_PLAN}
        return cls(**facts, plan_id=plan.id, risk_level=plan.risk, dry_run=dry_run)


_OF_PLAN = tuple(PlanView.model_fields.keys() & Plan.model_fields.keys())
_SAID = PlanVersion.model_fields.keys() | {"point_of_no_return", "irreversible_steps"}
_OF_VERSION = tuple((PlanView.model_fields.keys() & _SAID) - {*_OF_PLAN, "plan_id"})


class StepChange(Record):
    """What one step will do. `in_other`: how the step of the same id differs in the version compared with."""

    step_id: str
    name: str | None
    stage: Stage
    tool: str
    action: str
    effect: Effect
    input: JsonObject
    expect: tuple[Expectation, ...]
    undo: Undo | None
    no_undo: str | None
    targets: tuple[str, ...]
    unbounded: bool
    when: str | None
    input_from: dict[str, OutputRef]
    wait: Wait | None
    point_of_no_return: bool
    group: StepId | None
    in_other: Literal["same", "changed", "absent"] | None = None

    @classmethod
    def of(cls, step: PlanStep, other: PlanVersion | None) -> Self:
        """Return what a step will do, compared with another version where there is one."""
        facts = {name: getattr(step, name) for name in PlanStep.model_fields if name in cls.model_fields}
        return cls(step_id=step.id, in_other=other and _compared(step, other.step(step.id)), **facts)


class PlanDiff(Record):
    """What a plan would change, and how it differs from another of its versions."""

    plan_id: str
    version: int
    against: int | None
    changes: tuple[StepChange, ...]
    removed: tuple[StepChange, ...]
    changed_fields: tuple[str, ...]
    targets: tuple[str, ...]
    unbounded: bool

    @classmethod
    def of(cls, version: PlanVersion, other: PlanVersion | None) -> Self:
        """Return what a version would change."""
        gone = [step for step in other.steps if version.step(step.id) is None] if other else []
        return cls(
            plan_id=version.plan_id,
            version=version.version,
            against=other.version if other else None,
            changes=tuple(StepChange.of(step, other) for step in version.steps if step.mutating or other),
            removed=tuple(StepChange.of(step, None) for step in gone),
            changed_fields=_changed_fields(version, other) if other else (),
            targets=version.targets,
            unbounded=version.unbounded,
        )


class StepRisk(Record):
    """How dangerous one step is, and why."""

    step_id: str
    tool: str
    action: str
    stage: Stage
    risk_level: Risk
    effect: Effect
    reversibility: Reversibility
    reasons: tuple[str, ...]
    targets: tuple[str, ...]
    unbounded: bool
    point_of_no_return: bool
    group: StepId | None


class PlanRisk(Record):
    """How dangerous a plan is, and how far it reaches."""

    plan_id: str
    version: int
    risk_level: Risk
    tier: Tier
    blast_radius: BlastRadius
    targets: tuple[str, ...]
    target_count: int
    unbounded: bool
    irreversible: bool
    irreversible_steps: tuple[StepId, ...]
    point_of_no_return: StepId | None
    decision: Outcome
    reasons: tuple[Reason, ...]
    approvals_required: int
    steps: tuple[StepRisk, ...]

    @classmethod
    def of(cls, plan: Plan, version: PlanVersion) -> Self:
        """Return how dangerous a plan is."""
        return cls(
            plan_id=plan.id,
            version=version.version,
            risk_level=version.risk,
            tier=_tier(version.risk),
            blast_radius=version.blast_radius,
            targets=version.targets,
            target_count=len(version.targets),
            unbounded=version.unbounded,
            irreversible=version.irreversible,
            irreversible_steps=version.irreversible_steps,
            point_of_no_return=version.point_of_no_return,
            decision=plan.decision,
            reasons=plan.reasons,
            approvals_required=plan.approvals_required,
            steps=tuple(_step_risk(step) for step in version.steps),
        )


class VersionSummary(Record):
    """One version of a plan in a list. `current`: it is the one that is asked about and may be run."""

    plan_id: str
    version: int
    digest: str
    current: bool
    summary: str
    risk_level: Risk
    steps: int = Field(description="how many it has")
    requested_by: str
    created_at: AwareDatetime


class VersionView(Record):
    """One version of a plan, exactly as it is digested."""

    plan_id: str
    version: int
    digest: str
    current: bool
    content: PlanVersion


def _tier(risk: Risk) -> Tier:
    tiers: dict[Risk, Tier] = {Risk.READ: "read", Risk.HIGH: "break_glass"}
    return tiers.get(risk, "safe")


def _step_risk(step: PlanStep) -> StepRisk:
    return StepRisk(
        step_id=step.id,
        tool=step.tool,
        action=step.action,
        stage=step.stage,
        risk_level=step.risk,
        effect=step.effect,
        reversibility=step.reversibility,
        reasons=_why(step),
        targets=step.targets,
        unbounded=step.unbounded,
        point_of_no_return=step.point_of_no_return or step.irreversible,
        group=step.group,
    )


def _why(step: PlanStep) -> tuple[str, ...]:
    """Return why a step has its risk: what the action is, what its input raises, and the way back."""
    what = "it only waits" if step.tool == WAIT else f"{step.tool}.{step.action} is a {step.effect}"
    reasons = [what, *step.risk_reasons]
    reasons += [f"its {name} is what {source.step} puts out" for name, source in step.input_from.items()]
    if step.unbounded:
        reasons.append("nobody can count whom it touches")
    if step.irreversible:
        reasons.append(step.no_undo or "there is no way back")
    elif step.point_of_no_return:
        reasons.append("once it is done nobody means to go back")
    return tuple(reasons)


def _compared(step: PlanStep, other: PlanStep | None) -> Literal["same", "changed", "absent"]:
    if other is None:
        return "absent"
    return "same" if step == other else "changed"


def _changed_fields(version: PlanVersion, other: PlanVersion) -> tuple[str, ...]:
    never = {"version", "created_at"}
    names = [name for name in PlanVersion.model_fields if name not in never]
    return tuple(name for name in names if getattr(version, name) != getattr(other, name))
