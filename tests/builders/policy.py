"""Questions for policy, and engines to ask."""

from functools import cache
from pathlib import Path
from typing import Any

from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.adapters.rego.interpreter import CompiledRules
from carapulse.adapters.rego.sources import read_sources
from carapulse.policy.document import PolicyInput
from carapulse.policy.model import Decision
from carapulse.policy.usecases import judge

POLICIES = Path(__file__).parents[2] / "policies"
SUNDAY_AT_TEN = 1_795_341_600_000_000_000
HOUR = 3_600_000_000_000

READ = {"name": "plan.read", "type": "read", "stage": None}
CREATE = {"name": "plan.create", "type": "write", "stage": None}
EXECUTE = {"name": "plan.execute", "type": "write", "stage": None}
ACT = {"name": "step.run", "type": "write", "stage": "act"}
UNDO = {"name": "step.run", "type": "write", "stage": "undo"}
APPROVE = {"name": "approval.decide", "type": "write", "stage": None}
CANCEL = {"name": "execution.cancel", "type": "write", "stage": None}


def a_plan(**fields: Any) -> dict[str, Any]:
    """Return a small, trusted, reversible plan of low risk, asked for by ada."""
    return {
        "risk": "low",
        "targets": 1,
        "unbounded": False,
        "blast_radius": "namespace",
        "trigger": "manual",
        "trusted": True,
        "requested_by": "ada",
        "irreversible": False,
        "steps": [],
        **fields,
    }


def a_question(
    *,
    by: str = "ada",
    roles: tuple[str, ...] = ("operator",),
    action: dict[str, Any] = EXECUTE,
    environment: str | None = "dev",
    owner: str = "acme",
    plan: dict[str, Any] | None = None,
    **fields: Any,
) -> PolicyInput:
    """Return what an operator of acme asks about a small plan in dev; `plan` and `fields` say what is different."""
    return PolicyInput.model_validate(
        {
            "call": {"actor": {"id": by, "kind": "person", "roles": roles}, "tenant": "acme"},
            "action": action,
            "context": {"tenant": owner, "environment": environment},
            "plan": None if action["type"] == "read" else a_plan(**(plan or {})),
            "now_ns": SUNDAY_AT_TEN,
            "standing": {"freezes": (), "closed_window": False},
            **fields,
        }
    )


@cache
def the_engine() -> RegopyEngine:
    """Return the shipped rules, compiled once for all tests."""
    return RegopyEngine(POLICIES)


def decided(**fields: Any) -> Decision:
    """Return what the shipped rules say about a question."""
    return judge(a_question(**fields), the_engine())


class TunedEngine:
    """The shipped rules with other data."""

    digest = "sha256:tuned"

    def __init__(self, **data: Any) -> None:
        sources = read_sources(POLICIES)
        self._rules = CompiledRules(sources.modules, sources.data | data, ["carapulse/decision"])

    def decide(self, document: Any) -> object:
        """Answer by the tuned data."""
        return self._rules.ask("carapulse/decision", document)


class ScriptedEngine:
    """Gives one prepared answer, or raises it."""

    digest = "sha256:scripted"

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def decide(self, document: Any) -> object:  # noqa: ARG002 - whatever is asked
        """Answer as prepared."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer
