"""What policy is told about a plan: the same words at drafting, at executing and before every step."""

from datetime import datetime
from typing import Protocol

from carapulse.freezes.rules import Calendar, Rules
from carapulse.kernel.call import Call
from carapulse.plans.constraints import Constraints
from carapulse.plans.model import PlanVersion
from carapulse.plans.ports import PlanSettings
from carapulse.policy.document import Action, JudgedPlan, JudgedStep, LentAnswer, Limits, PolicyInput, WindowNow


class JudgingPorts(Protocol):
    """What has to be known beside a version: what the installation chose, and what the tenant declared."""

    @property
    def settings(self) -> PlanSettings:
        """What the installation chose."""
        ...

    @property
    def calendar(self) -> Calendar:
        """The freezes and windows."""
        ...


def asked_now(
    version: PlanVersion,
    call: Call,
    action: Action,
    ports: JudgingPorts,
    at: datetime,
    *,
    lent_answer: LentAnswer | None = None,
) -> PolicyInput:
    """Return the document that asks whether a caller may do something with this version, as things stand now."""
    asked = asked_under(ports.calendar.rules(call.tenant, at), version, call, action, ports, at)
    return asked.model_copy(update={"lent_answer": lent_answer})


def asked_under(
    rules: Rules, version: PlanVersion, call: Call, action: Action, ports: JudgingPorts, at: datetime
) -> PolicyInput:
    """Return the document that asks whether a caller may do something with this version under these rules."""
    return PolicyInput.of(
        call,
        action,
        version.context,
        at=at,
        plan=judged_plan(version),
        constraints=limits_at(version.constraints, at),
        standing=rules.standing(version.context, at),
        self_approval_environments=ports.settings.self_approval_environments,
    )


def judged_plan(version: PlanVersion) -> JudgedPlan:
    """Return what policy knows about a version."""
    return JudgedPlan(
        risk=version.risk.value,
        targets=len(version.targets),
        unbounded=version.unbounded,
        blast_radius=version.blast_radius,
        trigger=version.trigger,
        trusted=version.trusted,
        requested_by=version.requested_by,
        requested_for=version.requested_for,
        authors=version.authors,
        irreversible=version.point_of_no_return is not None,
        steps=tuple(
            JudgedStep(
                tool=step.tool,
                action=step.action,
                effect=step.effect.value,
                risk=step.risk.value,
                stage=step.stage.value,
            )
            for step in version.steps
        ),
    )


def limits_at(constraints: Constraints, at: datetime) -> Limits:
    """Return the requester's limits, with the window and the moment as minutes of the day in the window's zone."""
    window = constraints.maintenance_window
    now = window and WindowNow(
        start_minute=window.start_minute, end_minute=window.end_minute, now_minute=window.minute_at(at)
    )
    return Limits(
        allowed_environments=constraints.allowed_environments,
        max_targets=constraints.max_targets,
        maintenance_window=now,
    )
