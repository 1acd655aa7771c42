"""Plans, their parts and their callers, as tests need them."""

from datetime import UTC, datetime
from typing import Any

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.context import Context
from carapulse.kernel.ids import new_id
from carapulse.plans.model import Constraints, Plan, PlanStep, PlanVersion, Retry, Stage
from carapulse.plans.requests import CreatePlan
from carapulse.policy.model import Decision, Reason
from carapulse.tools.expectations import Comparison, Expectation
from carapulse.tools.model import Effect, Reversibility, Risk

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def a_call(
    by: str = "ada", *, tenant: str = "acme", roles: tuple[str, ...] = ("operator",), at: datetime = NOON
) -> Call:
    return Call(actor=Actor(id=by, roles=frozenset(roles)), tenant=tenant, at=at, trace="0" * 32)


def a_context(environment: str = "dev", **parts: str) -> Context:
    return Context(environment=environment, **{"namespace": "shop", "service": "checkout", **parts})


def a_step(step_id: str = "s1", stage: Stage = Stage.ACT, **facts: Any) -> PlanStep:
    writes = stage is Stage.ACT
    given: dict[str, Any] = {
        "id": step_id,
        "stage": stage,
        "position": 1,
        "tool": "kubectl",
        "action": "scale" if writes else "get",
        "input": {"name": "checkout"},
        "undo": "automatic" if writes else None,
        "effect": Effect.WRITE if writes else Effect.READ,
        "risk": Risk.LOW if writes else Risk.READ,
        "reversibility": Reversibility.REVERSIBLE if writes else Reversibility.NONE_NEEDED,
        "idempotent": True,
        "has_probe": False,
        "timeout_s": 30,
        "retry": Retry(),
        "targets": ("kubectl:checkout",) if writes else (),
    }
    if stage is Stage.VERIFY:
        given["expect"] = (Expectation(path="ready", op=Comparison.EQ, value=True),)
    return PlanStep(**{**given, **facts})


def a_version(**facts: Any) -> PlanVersion:
    given: dict[str, Any] = {
        "plan_id": new_id("plan"),
        "version": 1,
        "summary": "Scale checkout to 3",
        "trigger": "manual",
        "trusted": True,
        "context": a_context(),
        "constraints": Constraints(),
        "steps": (a_step("s1"), a_step("s2", Stage.VERIFY, position=2)),
        "risk": Risk.LOW,
        "targets": ("kubectl:checkout",),
        "unbounded": False,
        "blast_radius": "namespace",
        "tool_digests": {"kubectl": "sha256:00"},
        "requested_by": "ada",
        "created_at": NOON,
    }
    return PlanVersion(**{**given, **facts})


def a_decision(approvals: int = 1) -> Decision:
    return Decision(
        id=new_id("decision"),
        outcome="require_approval" if approvals else "allow",
        reasons=(Reason(guard="risk_needs_approval", reason="medium risk needs somebody else"),),
        approvals_required=approvals,
        obligations={},
        input_digest="sha256:00",
        policy_digest="sha256:00",
    )


def a_plan(version: PlanVersion | None = None, *, approvals: int = 1, self_approval: bool = False) -> Plan:
    return Plan.of(version or a_version(), a_decision(approvals), self_approval=self_approval)


LOOK = {"stage": "diagnose", "tool": "lamps", "action": "look", "input": {"lamp": "hall"}}
SWITCH = {"stage": "act", "tool": "lamps", "action": "switch", "input": {"lamp": "hall", "on": True}}
GLANCE = {"stage": "verify", "tool": "lamps", "action": "glance", "input": {"lamp": "hall"}}
NOTE = {"stage": "report", "tool": "lamps", "action": "note", "input": {"lamp": "hall"}}


def a_request(*steps: dict[str, Any], **facts: Any) -> CreatePlan:
    """Ask for a plan; without steps, one that switches a lamp on and looks whether it is."""
    context = {"environment": "dev", "namespace": "shop", "service": "checkout"}
    wanted = list(steps) if steps else [SWITCH, GLANCE]
    given = {"summary": "Switch the hall's lamp on", "context": context, "steps": wanted, **facts}
    return CreatePlan.model_validate(given)
