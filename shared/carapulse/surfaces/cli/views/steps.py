"""The steps of a plan, as their approvers need to see them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from carapulse.surfaces.cli.views.text import NOTHING, columns, moment, plain, text

Body = Mapping[str, Any]
_LINES = 8


def steps_view(steps: Any) -> Table:  # noqa: ANN401 - JSON
    """Show what each step does, what must hold after it, and the way back."""
    table = columns("step", "stage", "action", "with", "must hold", "way back")
    for step in steps:
        table.add_row(
            text(step.get("id") or step.get("step_id")),
            text(step.get("stage")),
            Text.assemble(plain(step.get("tool")), ".", plain(step.get("action")), _changes(step), *_terms(step)),
            Text(_given(step)),
            Text("\n".join(map(expectation, step.get("expect") or ())) or NOTHING),
            Text(_way_back(step)),
        )
    return table


def spelled(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the input of a step, a name and a value a line."""
    if not isinstance(value, Mapping):
        return plain(value)
    return "\n".join(f"{plain(name)}: {_told(each)}" for name, each in value.items()) or NOTHING


def expectation(expected: Body) -> str:
    """Return one expectation as a sentence."""
    value = "" if expected.get("value") is None else f" {_short(expected['value'])}"
    return f"{plain(expected.get('path'))} {plain(expected.get('op', 'eq'))}{value}"


def _changes(step: Body) -> tuple[str, str]:
    effect = step.get("effect")
    return ("", "") if effect in {None, "read"} else (f"  {plain(effect)}", "yellow")


def _terms(step: Body) -> Iterator[str]:
    """Yield on which terms a step runs: whether at all, when, and whether anybody goes back after it."""
    if step.get("when"):
        yield f"\nonly when {plain(step['when'])}"
    if step.get("wait"):
        yield f"\n{waiting(step['wait'])}"
    if step.get("point_of_no_return"):
        yield "\nnobody goes back after it"
    if step.get("group"):
        yield f"\none of {plain(step['group'])}"


def waiting(wait: Body) -> str:
    """Return what a step waits for, in words."""
    if wait.get("until"):
        return f"waits until {moment(wait['until'])}"
    if wait.get("for_s"):
        return f"waits for {plain(wait['for_s'])} seconds"
    return f"asks every {plain(wait.get('every_s'))} seconds, for at most {plain(wait.get('check_s'))}"


def _given(step: Body) -> str:
    """Return a step's input, with what earlier steps will put into it."""
    sources = step.get("input_from") or {}
    later = [f"{plain(name)}: what {_source(each)}" for name, each in sources.items()]
    return "\n".join([*([spelled(step.get("input"))] if step.get("input") or not later else []), *later])


def _source(source: Body) -> str:
    return f"{plain(source.get('step'))} puts out at {plain(source.get('path'))}"


def _way_back(step: Body) -> str:
    undo = step.get("undo")
    if isinstance(undo, Mapping):
        return f"{plain(undo.get('tool'))}.{plain(undo.get('action'))}\n{spelled(undo.get('input'))}"
    return plain(undo or step.get("no_undo"))


def _told(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value in one line; text of several lines as its first ones, below its name."""
    if not isinstance(value, str) or "\n" not in value:
        return _short(value)
    lines = value.splitlines()
    more = [f"  and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    return "\n".join(["", *(f"  │ {_short(line)}" for line in lines[:_LINES]), *more])


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON value
    said = plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return said if len(said) <= 120 else f"{said[:119]}…"  # noqa: PLR2004 - what fits a cell
