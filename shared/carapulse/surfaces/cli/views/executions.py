"""Executions, while they run and afterwards."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from carapulse.surfaces.cli.views.plans import paged
from carapulse.surfaces.cli.views.text import columns, facts, listed, moment, plain, seconds_between, status, text

Body = Mapping[str, Any]
_FINAL = frozenset(
    {"succeeded", "failed", "rolled_back", "rollback_failed", "cancelled", "timed_out", "needs_human"},
)
_MARKS = {"succeeded": "✔", "failed": "✘", "running": "▶", "unknown": "?", "waiting": "·", "skipped": "-"}
_ASKED = {
    "unknown": 'resolve {name} {step} --done|--not-done --note "what you saw"',
    "failed": 'retry {name} {step} --note "why it may work now"',
}


def is_final(execution: Body) -> bool:
    """Say whether nothing more will happen."""
    return execution.get("status") in _FINAL


def execution_view(execution: Body) -> RenderableType:
    """Show an execution with each step and its undo."""
    known = {
        "status": status(execution.get("status")),
        "plan": execution.get("plan_id"),
        "started": moment(execution.get("started_at")),
        "took": seconds_between(execution.get("started_at"), execution.get("finished_at")),
    }
    if execution.get("undoes"):
        known["goes back on"] = plain(execution["undoes"])
    if execution.get("percent") is not None:
        known["behind us"] = f"{plain(execution['percent'])} %"
    if execution.get("next_deadline_at"):
        known["until at most"] = moment(execution["next_deadline_at"])
    if execution.get("cause"):
        known["because"] = status(execution["cause"])
    if execution.get("left"):
        known["left as they are"] = listed(execution["left"])
    if execution.get("dry_run"):
        known["dry run"] = "nothing is changed"
    if execution.get("paused"):
        known["paused"] = "nothing more begins until it is resumed"
    parts: list[RenderableType] = [facts(known), Text(), step_runs_view(execution)]
    if ways := ways_on(execution):
        parts += [Text(), Text("A person has to look. Then one of:"), *(Text(f"  {way}") for way in ways)]
    return Panel(Group(*parts), title=text(execution.get("execution_id"), "bold"), title_align="left")


def step_runs_view(execution: Body) -> Table:
    """Show how far each step has come; an undo stands below the step that it takes back."""
    table = columns("", "step", "stage", "action", "status", "tries", "took", "")
    for step in execution.get("steps") or ():
        action = text(f"{step.get('tool')}.{step.get('action')}")
        _add_run(table, step, text(step.get("id")), text(step.get("stage")), action)
        if undo := step.get("undo"):
            name, stage = text(f"↩ {step.get('id')}", "magenta"), Text("undo", style="magenta")
            _add_run(table, undo, name, stage, Text("its way back", style="dim"))
    return table


def executions_view(page: Body) -> RenderableType:
    """Show a page of executions."""
    table = columns("execution", "status", "because", "plan", "started", "took")
    for execution in page.get("data") or ():
        table.add_row(
            text(execution.get("execution_id")),
            status(execution.get("status")),
            status(execution.get("cause")),
            text(execution.get("plan_id")),
            Text(moment(execution.get("started_at"))),
            Text(seconds_between(execution.get("started_at"), execution.get("finished_at"))),
        )
    return paged(table, page)


def changes_between(former: Body, now: Body) -> list[str]:
    """Return what happened between two looks at an execution, a line each, for output that only grows."""
    before = dict(_states(former))
    lines = [f"{name}: {state}" for name, state in _states(now) if before.get(name) != state]
    if former.get("status") != now.get("status"):
        lines += [f"a person has to look, then: {way}" for way in ways_on(now)]
        lines.append(f"execution: {plain(now.get('status'))}")
    return lines


def ways_on(execution: Body) -> list[str]:
    """Return the commands that a person may choose from when an execution waits for one; else none."""
    if execution.get("status") != "needs_human":
        return []
    held, name = set(execution.get("left") or ()), plain(execution.get("execution_id"))
    asked = [step for step in execution.get("steps") or () if step.get("id") in held and step.get("status") in _ASKED]
    ways = [_ASKED[step["status"]].format(name=name, step=plain(step["id"])) for step in asked]
    cancel = f"cancel {name}" if execution.get("undoes") else f"cancel {name} [--no-undo]"
    return [f"carapulse execution {way}" for way in (*ways, cancel)]


def _states(execution: Body) -> list[tuple[str, str]]:
    found = []
    for step in execution.get("steps") or ():
        name = (
            f"{plain(step.get('id'))} {plain(step.get('stage'))} {plain(step.get('tool'))}.{plain(step.get('action'))}"
        )
        found.append((name, _state(step)))
        if undo := step.get("undo"):
            found.append((f"{plain(step.get('id'))} undo", _state(undo)))
    return [(name, state) for name, state in found if state != "waiting"]


def _state(run: Body) -> str:
    detail = (run.get("error") or {}).get("detail")
    tries = run.get("attempts") or 0
    again = f" (try {tries})" if tries > 1 else ""
    return plain(run.get("status")) + again + (f": {plain(detail)}" if detail else "")


def _add_run(table: Table, run: Body, name: Text, stage: Text, action: Text) -> None:
    state = status(run.get("status"))
    table.add_row(
        Text(_MARKS.get(str(run.get("status")), " "), style=state.style),
        name,
        stage,
        action,
        state,
        text(run.get("attempts")),
        Text(seconds_between(run.get("started_at"), run.get("finished_at"))),
        text(run.get("waits_for") or (run.get("error") or {}).get("detail") or " ", "dim"),
    )
