"""A step that can be, with everything the catalogue says about it frozen into it."""

from carapulse.kernel.context import Context
from carapulse.plans.ports import Actions
from carapulse.plans.requests import StepRequest
from carapulse.plans.steps import AUTOMATIC, PlanStep, Retry, Stage, Undo, UndoAction
from carapulse.tools.expressions import holds
from carapulse.tools.manifest import Action
from carapulse.tools.model import Effect, JsonObject, Reversibility, Risk, Targets

_NO_WAY_BACK = {
    Reversibility.NONE_NEEDED: "it leaves nothing behind that would have to be undone",
    Reversibility.IRREVERSIBLE: "there is no way back from this action",
    Reversibility.COMPENSABLE: "its manifest knows no way back, and the plan names none",
    Reversibility.REVERSIBLE: "its manifest knows no way back, and the plan names none",
}


def resolve_step(step: StepRequest, step_id: str, position: int, catalogue: Actions, context: Context) -> PlanStep:
    """Return the step of a plan that a faultless request asks for."""
    action = catalogue.action(step.tool, step.action)
    undo = _undo_of(step, action)
    targets = _targets_of(step, undo, catalogue, context)
    return PlanStep(
        id=step_id,
        name=step.name,
        stage=step.stage,
        position=position,
        tool=step.tool,
        action=step.action,
        input=step.input,
        depends_on=step.depends_on,
        expect=step.expect or (action.expectations if step.stage is Stage.VERIFY else ()),
        undo=undo,
        no_undo=_why_no_undo(action) if undo is None else None,
        effect=action.effect,
        risk=_risk_of(step, undo, catalogue),
        risk_reasons=_reasons(action, step.input),
        reversibility=action.reversibility,
        idempotent=action.idempotent,
        has_probe=action.probe is not None,
        timeout_s=action.timeout_s,
        retry=step.retry or Retry(**dict(action.retries)),
        targets=targets.names,
        unbounded=targets.unbounded,
    )


def _undo_of(step: StepRequest, action: Action) -> Undo | None:
    if step.undo is not None:
        return step.undo
    return AUTOMATIC if action.undo is not None and action.effect is not Effect.READ else None


def _why_no_undo(action: Action) -> str:
    return "it only reads" if action.effect is Effect.READ else _NO_WAY_BACK[action.reversibility]


def _risk_of(step: StepRequest, undo: Undo | None, catalogue: Actions) -> Risk:
    """Return the higher risk of the way there and a spelled-out way back; a manifest's own is weighed by its author."""
    there = catalogue.risk(step.tool, step.action, step.input)
    if isinstance(undo, UndoAction):
        return max(there, catalogue.risk(undo.tool, undo.action, undo.input))
    return there


def _reasons(action: Action, value: JsonObject) -> tuple[str, ...]:
    return tuple(rule.reason for rule in action.risk_rules if holds(rule.when, {"input": value}))


def _targets_of(step: StepRequest, undo: Undo | None, catalogue: Actions, context: Context) -> Targets:
    """Return whom the way there and a spelled-out way back touch."""
    there = catalogue.targets(step.tool, step.action, step.input, context)
    if not isinstance(undo, UndoAction):
        return there
    back = catalogue.targets(undo.tool, undo.action, undo.input, context)
    names = tuple(dict.fromkeys((*there.names, *back.names)))
    return Targets(names=names, unbounded=there.unbounded or back.unbounded)
