"""What happens to plans. Each is a fact in the plan's own stream."""

from typing import Self

from carapulse.kernel.event import Event
from carapulse.plans.model import PlanVersion


class _Described(Event):
    plan_id: str
    version: int
    digest: str
    summary: str
    trigger: str
    trusted: bool
    environment: str
    service: str | None
    risk: str
    blast_radius: str
    targets: tuple[str, ...]
    unbounded: bool
    point_of_no_return: str | None = None
    steps: tuple[str, ...]
    workflow: str | None
    requested_by: str

    @classmethod
    def of(cls, version: PlanVersion) -> Self:
        """Return the fact about this version."""
        return cls(
            plan_id=version.plan_id,
            version=version.version,
            digest=version.digest,
            summary=version.summary,
            trigger=version.trigger,
            trusted=version.trusted,
            environment=version.context.environment,
            service=version.context.service,
            risk=version.risk.value,
            blast_radius=version.blast_radius,
            targets=version.targets,
            unbounded=version.unbounded,
            point_of_no_return=version.point_of_no_return,
            steps=tuple(f"{step.stage} {step.tool}.{step.action}" for step in version.steps),
            workflow=version.workflow.name if version.workflow else None,
            requested_by=version.requested_by,
        )


class PlanDrafted(_Described):
    """A version of a plan exists and was judged; the digest says exactly which."""


class PlanRefused(_Described):
    """Policy denied a version before it could exist; nothing of it can be approved or run."""


class PlanApproved(Event):
    """A plan may be run, exactly as digested."""

    plan_id: str
    digest: str


class PlanRejected(Event):
    """A plan may not be run: somebody said no."""

    plan_id: str
    digest: str


class PlanExpired(Event):
    """A plan was not answered, or not run, in time."""

    plan_id: str
    digest: str


class PlanClosed(Event):
    """A plan is not wanted any more."""

    plan_id: str
    reason: str


class PlanCancelled(Event):
    """A plan that waited was taken back; nothing of it can be run any more."""

    plan_id: str
    reason: str


class PlanArchived(Event):
    """A plan that is over was put away: lists leave it out unless they are asked for it."""

    plan_id: str
