"""A step that can be, with everything the catalogue says about it frozen into it."""

from typing import Any

from carapulse.kernel.context import Context
from carapulse.plans.errors import PlanInvalid
from carapulse.plans.fanning import Asked
from carapulse.plans.ports import Actions
from carapulse.plans.requests import CreatePlan, StepRequest
from carapulse.plans.steps import AUTOMATIC, LEAST_REPEATS, PlanStep, Retry, Stage, Undo, UndoAction, Wait
from carapulse.plans.waiting import pause
from carapulse.tools.expressions import holds
from carapulse.tools.manifest import Action
from carapulse.tools.model import Effect, JsonObject, Reversibility, Risk, Targets

_NO_WAY_BACK = {
    Reversibility.NONE_NEEDED: "it leaves nothing behind that would have to be undone",
    Reversibility.IRREVERSIBLE: "there is no way back from this action",
    Reversibility.COMPENSABLE: "its manifest knows no way back, and the plan names none",
    Reversibility.REVERSIBLE: "its manifest knows no way back, and the plan names none",
}
_LATE_S = 60.0  # between two attempts: until the lease of a lost worker has lapsed, or a long queue has come to it


def resolve_step(asked: Asked, position: int, catalogue: Actions, request: CreatePlan) -> PlanStep:
    """Return the step of a plan that a faultless request asks for."""
    step = asked.step
    if step.wait is not None and step.use is None:
        return pause(asked, step.wait, position, request.constraints)
    if step.use is None:
        raise PlanInvalid("the step names no tool and no action", step_id=asked.id)
    action = catalogue.action(*step.use)
    retry = step.retry or Retry(**dict(action.retries))
    resolved = PlanStep(
        id=asked.id,
        name=step.name,
        stage=step.stage,
        position=position,
        tool=step.use[0],
        action=step.use[1],
        input=step.input,
        depends_on=step.depends_on,
        expect=step.expect or (action.expectations if step.stage is Stage.VERIFY or step.wait else ()),
        retry=retry,
        when=step.when,
        input_from=step.input_from,
        wait=step.wait,
        deadline_s=step.deadline_s or _longest(action, retry, step.wait),
        group=asked.group,
        **_judged(step, step.use, catalogue, request.context),
    )
    return resolved.model_copy(update={"point_of_no_return": step.point_of_no_return or resolved.irreversible})


def _judged(step: StepRequest, use: tuple[str, str], catalogue: Actions, context: Context) -> dict[str, Any]:
    """Return what the catalogue says about a use: how dangerous it is, whom it touches, and how to go back."""
    action = catalogue.action(*use)
    undo = _undo_of(step, action)
    targets = _targets_of(step, use, undo, catalogue, context)
    return {
        "undo": undo,
        "no_undo": _why_no_undo(action) if undo is None else None,
        "effect": action.effect,
        "risk": _risk_of(step.input, use, undo, catalogue),
        "risk_reasons": _reasons(action, step.input),
        "reversibility": action.reversibility,
        "idempotent": action.idempotent,
        "has_probe": action.probe is not None,
        "timeout_s": action.timeout_s,
        "targets": targets.names,
        "unbounded": targets.unbounded,
    }


def _longest(action: Action, retry: Retry, wait: Wait | None) -> float:
    """Return how many seconds all attempts take, with the breaks between them, also those after a worker was lost."""
    if wait is not None and wait.check_s is not None:
        return wait.check_s + action.timeout_s
    repeats = action.effect is Effect.READ or action.idempotent or action.probe is not None
    attempts = max(retry.attempts, LEAST_REPEATS) if repeats else retry.attempts
    return action.timeout_s * attempts + (retry.max_backoff_s + _LATE_S) * (attempts - 1)


def _undo_of(step: StepRequest, action: Action) -> Undo | None:
    if step.undo is not None:
        return step.undo
    return AUTOMATIC if action.undo is not None and action.effect is not Effect.READ else None


def _why_no_undo(action: Action) -> str:
    return "it only reads" if action.effect is Effect.READ else _NO_WAY_BACK[action.reversibility]


def _risk_of(value: JsonObject, use: tuple[str, str], undo: Undo | None, catalogue: Actions) -> Risk:
    """Return the higher risk of the way there and a spelled-out way back; a manifest's own is weighed by its author."""
    there = catalogue.risk(*use, value)
    if isinstance(undo, UndoAction):
        return max(there, catalogue.risk(undo.tool, undo.action, undo.input))
    return there


def _reasons(action: Action, value: JsonObject) -> tuple[str, ...]:
    return tuple(rule.reason for rule in action.risk_rules if holds(rule.when, {"input": value}))


def _targets_of(
    step: StepRequest, use: tuple[str, str], undo: Undo | None, catalogue: Actions, context: Context
) -> Targets:
    """Return whom the way there and a spelled-out way back touch."""
    there = catalogue.targets(*use, step.input, context)
    if not isinstance(undo, UndoAction):
        return there
    back = catalogue.targets(undo.tool, undo.action, undo.input, context)
    names = tuple(dict.fromkeys((*there.names, *back.names)))
    return Targets(names=names, unbounded=there.unbounded or back.unbounded)
