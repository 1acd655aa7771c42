"""How an execution's state is kept: what changes as a whole in one row, each step in a row of its own.

So a step costs the same in a plan of two steps and in one of two hundred.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from carapulse.executions.model import ExecutionState, StepState
from carapulse.rows import corrupt_row, read_row

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


def restored(execution_id: str, kept: Any, rows: Iterable[Sequence[Any]] | None) -> ExecutionState:  # noqa: ANN401 - what is stored
    """Return the state of a whole and its steps (parts, facts, captured), or raise CorruptRow."""
    try:
        steps = [{**part, "facts": fact, "captured": seen} for part, fact, seen in rows or ()]
        whole_state = {**kept, "steps": steps}
    except TypeError as error:
        raise corrupt_row("executions", execution_id, "it is no object with steps") from error
    return read_row(ExecutionState, whole_state, table="executions", row_id=execution_id)
