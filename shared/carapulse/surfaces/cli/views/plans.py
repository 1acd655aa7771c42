"""Plans, as their approvers need to see them."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from carapulse.surfaces.cli.views.text import NOTHING, columns, facts, listed, moment, plain, status, text

Body = Mapping[str, Any]
_LINES = 8


def plan_view(plan: Body) -> RenderableType:
    """Show a plan: where it stands, how far it reaches, why policy says what it says, and every step."""
    known = {
        "plan": plan.get("plan_id"),
        "status": status(plan.get("status")),
        "digest": plan.get("digest"),
        "where": place(plan.get("context") or {}),
        "risk": _risk(plan),
        "policy": _decision(plan),
        "asked by": f"{plain(plan.get('requested_by'))} ({plain(plan.get('trigger'))}{_trust(plan)})",
        "targets": listed(plan.get("targets")),
    }
    if plan.get("execution_id"):
        known["execution"] = plan["execution_id"]
    parts = [facts(known), *reasons_view(plan.get("reasons")), Text(), steps_view(plan.get("steps") or ())]
    return Panel(Group(*parts), title=text(plan.get("summary"), "bold"), title_align="left")


def plans_view(page: Body) -> RenderableType:
    """Show a page of plans."""
    table = columns("plan", "status", "risk", "environment", "service", "asked by", "created", "summary")
    for plan in page.get("data") or ():
        table.add_row(
            text(plan.get("plan_id")),
            status(plan.get("status")),
            status(plan.get("risk_level")),
            text(plan.get("environment")),
            text(plan.get("service")),
            text(plan.get("requested_by")),
            Text(moment(plan.get("created_at"))),
            text(plan.get("summary")),
        )
    return paged(table, page)


def steps_view(steps: Any) -> Table:  # noqa: ANN401 - JSON
    """Show what each step does, what must hold after it, and the way back."""
    table = columns("step", "stage", "action", "with", "must hold", "way back")
    for step in steps:
        table.add_row(
            text(step.get("id") or step.get("step_id")),
            text(step.get("stage")),
            Text.assemble(plain(step.get("tool")), ".", plain(step.get("action")), _changes(step)),
            Text(spelled(step.get("input"))),
            Text("\n".join(map(expectation, step.get("expect") or ())) or NOTHING),
            Text(_way_back(step)),
        )
    return table


def diff_view(diff: Body) -> RenderableType:
    """Show what would change, and how it differs from another version."""
    parts: list[RenderableType] = [steps_view(diff.get("changes") or ())]
    if diff.get("removed"):
        parts += [Text(), Text("no longer there", style="bold red"), steps_view(diff["removed"])]
    if diff.get("changed_fields"):
        parts += [Text(), facts({f"differs from version {plain(diff.get('against'))}": listed(diff["changed_fields"])})]
    parts += [Text(), facts({"targets": listed(diff.get("targets"))})]
    title = f"{plain(diff.get('plan_id'))} version {plain(diff.get('version'))}"
    return Panel(Group(*parts), title=Text(title), title_align="left")


def risk_view(risk: Body) -> RenderableType:
    """Show how dangerous a plan is, and why."""
    known = {"risk": _risk(risk), "tier": risk.get("tier"), "policy": _decision(risk)}
    known |= {"targets": listed(risk.get("targets")), "irreversible": risk.get("irreversible")}
    table = columns("step", "stage", "action", "risk", "reversibility", "why")
    for step in risk.get("steps") or ():
        table.add_row(
            text(step.get("step_id")),
            text(step.get("stage")),
            text(f"{step.get('tool')}.{step.get('action')}"),
            status(step.get("risk_level")),
            text(step.get("reversibility")),
            Text("\n".join(map(plain, step.get("reasons") or ()))),
        )
    parts = [facts(known), *reasons_view(risk.get("reasons")), Text(), table]
    return Panel(Group(*parts), title=text(risk.get("plan_id")), title_align="left")


def reasons_view(reasons: Any) -> list[RenderableType]:  # noqa: ANN401 - JSON
    """Show why policy decided as it did."""
    found = [each for each in reasons or () if isinstance(each, Mapping)]
    return [
        Text.assemble("  • ", plain(each.get("reason")), (f"  [{plain(each.get('guard'))}]", "dim")) for each in found
    ]


def place(context: Body) -> str:
    """Return where something happens, in one line."""
    return " · ".join(f"{name} {plain(value)}" for name, value in context.items() if value is not None) or NOTHING


def spelled(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the input of a step, a name and a value a line."""
    if not isinstance(value, Mapping):
        return plain(value)
    return "\n".join(f"{plain(name)}: {_told(each)}" for name, each in value.items()) or NOTHING


def expectation(expected: Body) -> str:
    """Return one expectation as a sentence."""
    value = "" if expected.get("value") is None else f" {_short(expected['value'])}"
    return f"{plain(expected.get('path'))} {plain(expected.get('op', 'eq'))}{value}"


def paged(table: Table, page: Body) -> RenderableType:
    """Show a page, and how to see the next one."""
    if not table.row_count:
        return Text("nothing there", style="dim")
    cursor = page.get("next_cursor")
    return Group(table, Text(f"more: --cursor {plain(cursor)}", style="dim")) if cursor else table


def _risk(body: Body) -> Text:
    reach = f", reaches {plain(body.get('blast_radius'))}" if body.get("blast_radius") else ""
    unbounded = ", nobody can count whom it touches" if body.get("unbounded") else ""
    return Text.assemble(status(body.get("risk_level")), reach, unbounded)


def _decision(body: Body) -> Text:
    needed = body.get("approvals_required") or 0
    people = f", {needed} {'person' if needed == 1 else 'people'} must agree" if needed else ""
    own = ", the requester may approve it here" if body.get("self_approval") else ""
    return Text.assemble(status(body.get("decision")), people, own)


def _trust(plan: Body) -> str:
    return "" if plan.get("trusted", True) else ", not proven"


def _changes(step: Body) -> tuple[str, str]:
    effect = step.get("effect")
    return ("", "") if effect in {None, "read"} else (f"  {plain(effect)}", "yellow")


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
