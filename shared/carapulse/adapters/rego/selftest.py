"""Asks freshly loaded rules what everybody knows the answer to. Whatever operators tune, it holds or nothing starts."""

from typing import Any

from carapulse.policy.document import Action, AskedCall, AskedScope, Asker, JudgedPlan, Place, PolicyInput
from carapulse.policy.errors import UnsoundPolicy
from carapulse.policy.model import Outcome
from carapulse.policy.ports import PolicyEngine
from carapulse.policy.usecases import judge

_TENANT = "self-test"
_READ = Action(name="plan.read", type="read")
_WRITE = Action(name="plan.create", type="write")
_WHOLE = AskedScope()
_NOTHING = AskedScope(environments=())
_NOBODY_KNOWS_IT = "no such environment"
_AFTER_EVERY_FREEZE = 2**33 * 1_000_000_000


def prove(engine: PolicyEngine, data: dict[str, Any]) -> None:
    """Raise UnsoundPolicy unless each known question gets its known answer."""
    for question, asked, expected in _questions(data):
        decision = judge(asked, engine)
        if not decision.answered or decision.outcome not in expected:
            reasons = [reason.reason for reason in decision.reasons]
            raise UnsoundPolicy("the rules fail their self-test", question=question, got=decision.outcome, why=reasons)


def _questions(data: dict[str, Any]) -> list[tuple[str, PolicyInput, set[Outcome]]]:
    known = next(iter(data["environments"]))
    writer = data["roles"]["request"][:1]
    return [
        ("a known actor may read", _asked(_READ, data["roles"]["known"][:1], known), {"allow"}),
        ("a writer may ask for a change", _asked(_WRITE, writer, known), {"allow", "require_approval"}),
        ("nobody may not read", _asked(_READ, writer, known, actor=""), {"deny"}),
        ("nobody may not write", _asked(_WRITE, writer, known, actor=""), {"deny"}),
        ("whoever has no role may not write", _asked(_WRITE, [], known), {"deny"}),
        ("an unknown environment is not read", _asked(_READ, writer, _NOBODY_KNOWS_IT), {"deny"}),
        ("an unknown environment is not changed", _asked(_WRITE, writer, _NOBODY_KNOWS_IT), {"deny"}),
        ("a blank environment is not changed", _asked(_WRITE, writer, ""), {"deny"}),
        ("another tenant's is not read", _asked(_READ, writer, known, owner="another"), {"deny"}),
        ("another tenant's is not changed", _asked(_WRITE, writer, known, owner="another"), {"deny"}),
        ("what is outside the scope is not changed", _asked(_WRITE, writer, known, scope=_NOTHING), {"deny"}),
    ]


def _asked(
    action: Action,
    roles: list[str],
    environment: str,
    *,
    actor: str = "ada",
    owner: str = _TENANT,
    scope: AskedScope = _WHOLE,
) -> PolicyInput:
    return PolicyInput(
        call=AskedCall(actor=Asker(id=actor, kind="person", roles=tuple(roles), scope=scope), tenant=_TENANT),
        action=action,
        context=Place(tenant=owner, environment=environment),
        plan=None if action.type == "read" else _A_PLAN,
        now_ns=_AFTER_EVERY_FREEZE,
    )


_A_PLAN = JudgedPlan(
    risk="low",
    targets=1,
    unbounded=False,
    blast_radius="namespace",
    trigger="manual",
    trusted=True,
    requested_by="ada",
    irreversible=False,
    steps=(),
)
