"""How an execution's state is kept: what changes as a whole in one row, each step in a row of its own.

So a step costs the same in a plan of two steps and in one of two hundred.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from carapulse.executions.model import ExecutionState, StepState

_PARTS = {"run", "undo"}


def whole(state: ExecutionState) -> dict[str, Any]:
    """Return the JSON of everything but the steps; what has its default is left out."""
    return state.model_dump(mode="json", exclude={"steps"}, exclude_defaults=True)


def facts(step: StepState) -> dict[str, Any]:
    """Return the JSON of what never changes about a step."""
    return step.facts.model_dump(mode="json", exclude_defaults=True)


def parts(step: StepState) -> dict[str, Any]:
    """Return the JSON of how far a step and its undo have come."""
    return step.model_dump(mode="json", include=_PARTS, exclude_defaults=True)


def changed(state: ExecutionState, since: ExecutionState) -> list[StepState]:
    """Return the steps that are not what they were; those that are were never copied."""
    return [new for new, old in zip(state.steps, since.steps, strict=True) if new is not old]


def restored(kept: Mapping[str, Any], rows: Iterable[Sequence[Any]]) -> ExecutionState:
    """Return the state of a whole and its steps (parts, facts, captured); ValidationError if they don't fit."""
    steps = [{**part, "facts": fact, "captured": seen} for part, fact, seen in rows]
    return ExecutionState.model_validate({**kept, "steps": steps})
