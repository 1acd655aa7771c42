"""Whether one step, as somebody wants it, can be a step of a plan at all."""

from collections.abc import Iterator
from typing import Any

from carapulse.kernel.canonical import canonical
from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault, Invalid
from carapulse.plans.ports import Actions
from carapulse.plans.references import output_faults
from carapulse.plans.requests import StepRequest
from carapulse.plans.scope import scope_faults
from carapulse.plans.steps import AUTOMATIC, Stage, UndoAction
from carapulse.plans.waiting import check_faults, pause_faults
from carapulse.tools.errors import UnknownAction
from carapulse.tools.manifest import Action
from carapulse.tools.model import Effect, JsonObject, Risk


def step_faults(step: StepRequest, pointer: str, catalogue: Actions, context: Context) -> Iterator[Fault]:
    """Yield everything that is wrong with one step by itself."""
    if step.pauses:
        yield from pause_faults(step, pointer)
    elif step.use is None:
        for name in ("tool", "action"):
            if getattr(step, name) is None:
                yield Fault(pointer=f"{pointer}/{name}", code="missing", detail="only a step that waits has none")
    else:
        yield from _action_faults(step, step.use, pointer, catalogue, context)


def _action_faults(
    step: StepRequest, use: tuple[str, str], pointer: str, catalogue: Actions, context: Context
) -> Iterator[Fault]:
    later = frozenset(step.input_from)
    yield from use_faults((*use, step.input), pointer, catalogue, context, later=later)
    action = known(catalogue, *use)
    if action is None:
        return
    yield from output_faults(step, use, catalogue, pointer)
    yield from _stage_faults(step, action, pointer, catalogue.risk(*use, step.input))
    yield from _undo_faults(step, action, pointer, catalogue, context)
    yield from json_faults([each.model_dump(mode="json") for each in step.expect], f"{pointer}/expect")
    yield from check_faults(step, action, pointer)
    if step.retry is not None and action.effect is not Effect.READ:
        yield Fault(
            pointer=f"{pointer}/retry", code="retry-of-a-write", detail="its action says how it may be tried again"
        )


def use_faults(
    use: tuple[str, str, JsonObject],
    pointer: str,
    catalogue: Actions,
    context: Context,
    *,
    later: frozenset[str] = frozenset(),
) -> Iterator[Fault]:
    """Yield what is wrong with a tool, an action and its input, of which some fields may be still to come."""
    tool, action, value = use
    if known(catalogue, tool, action) is None:
        yield unknown(catalogue, tool, action, pointer)
        return
    unfit = tuple(json_faults(value, f"{pointer}/input"))
    yield from unfit or catalogue.faults(tool, action, value, f"{pointer}/input", context, later=later)
    yield from scope_faults(value, f"{pointer}/input", context)


def known(catalogue: Actions, tool: str, action: str) -> Action | None:
    """Return the action, or None if there is no such action."""
    try:
        return catalogue.action(tool, action)
    except UnknownAction:
        return None


def json_faults(value: Any, pointer: str) -> Iterator[Fault]:  # noqa: ANN401 - any JSON value
    """Yield why a value can't be kept and digested exactly."""
    try:
        canonical(value)
    except (Invalid, UnicodeEncodeError) as error:
        yield Fault(pointer=pointer, code="not-exact", detail=f"this can't be kept exactly: {error}")
        return
    if any("\x00" in text for text in _texts(value)):
        yield Fault(pointer=pointer, code="control-character", detail="text can't hold the character NUL")


def unknown(catalogue: Actions, tool: str, action: str, pointer: str) -> Fault:
    """Return that there is no such tool, or that it has no such action."""
    try:
        catalogue.digest(tool)
    except UnknownAction:
        return Fault(pointer=f"{pointer}/tool", code="unknown-tool", detail=f"there is no tool {tool!r}")
    return Fault(pointer=f"{pointer}/action", code="unknown-action", detail=f"{tool} has no action {action!r}")


def _stage_faults(step: StepRequest, action: Action, pointer: str, risk: Risk) -> Iterator[Fault]:
    writes = action.effect is not Effect.READ
    if writes and step.stage in {Stage.DIAGNOSE, Stage.VERIFY}:
        detail = f"{step.tool}.{step.action} changes something, and {step.stage} only reads"
        yield Fault(pointer=f"{pointer}/stage", code=f"{step.stage}-writes", detail=detail)
    if step.stage is Stage.REPORT and (action.effect is Effect.DESTRUCTIVE or risk > Risk.LOW):
        detail = "what comes after verification is not verified, so it may only be harmless"
        yield Fault(pointer=f"{pointer}/stage", code="report-harms", detail=detail)
    if step.stage is Stage.VERIFY and step.wait is None and not (step.expect or action.expectations or action.poll):
        detail = "a verification says what it expects to find"
        yield Fault(pointer=f"{pointer}/expect", code="no-expectation", detail=detail)


def _undo_faults(
    step: StepRequest, action: Action, pointer: str, catalogue: Actions, context: Context
) -> Iterator[Fault]:
    if step.undo is None:
        return
    where = f"{pointer}/undo"
    if action.effect is Effect.READ:
        yield Fault(pointer=where, code="undo-of-a-read", detail="there is nothing to undo about a read")
    elif step.undo == AUTOMATIC and action.undo is None:
        yield Fault(pointer=where, code="no-automatic-undo", detail="its manifest knows no way back; spell one out")
    elif isinstance(step.undo, UndoAction):
        use = (step.undo.tool, step.undo.action, step.undo.input)
        yield from use_faults(use, where, catalogue, context)
        back = known(catalogue, step.undo.tool, step.undo.action)
        if back is not None and back.effect is Effect.READ:
            yield Fault(pointer=f"{where}/action", code="undo-reads", detail="a read undoes nothing")


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in [*value.keys(), *value.values()] if isinstance(value, dict) else value:
            yield from _texts(item)
