"""How an execution's state is kept: what every step changes, what never changes, and what was captured, apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from carapulse.executions.model import ExecutionState


def changing(state: ExecutionState) -> dict[str, Any]:
    """Return the JSON of what changes as the execution goes on; what has its default is left out."""
    kept = state.model_dump(mode="json", exclude=_APART, exclude_defaults=True)
    kept["steps"] = [step.model_dump(mode="json", include=_PARTS, exclude_defaults=True) for step in state.steps]
    return kept


def fixed(state: ExecutionState) -> list[dict[str, Any]]:
    """Return the JSON of what never changes: the facts of each step."""
    return [step.facts.model_dump(mode="json") for step in state.steps]


def captured(state: ExecutionState) -> dict[str, Any]:
    """Return what was captured before each step that captured something."""
    return {step.facts.id: step.captured for step in state.steps if step.captured is not None}


def restored(kept: Mapping[str, Any], facts: Sequence[Mapping[str, Any]], seen: Mapping[str, Any]) -> ExecutionState:
    """Return the state of the three; ValidationError if they don't fit."""
    parts = zip(kept["steps"], facts, strict=True)
    steps = [{**part, "facts": fact, "captured": seen.get(fact["id"])} for part, fact in parts]
    return ExecutionState.model_validate({**kept, "steps": steps})


_APART = {"steps"}
_PARTS = {"run", "undo"}
