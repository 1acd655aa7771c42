"""Plans, as their approvers need to see them."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from carapulse.surfaces.cli.views.steps import steps_view
from carapulse.surfaces.cli.views.text import NOTHING, columns, facts, listed, moment, plain, status, text

Body = Mapping[str, Any]


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
        "no return": no_return(plan),
    }
    if runs := "; ".join(_runs(plan)):
        known["runs"] = runs
    if plan.get("execution_id"):
        known["execution"] = plan["execution_id"]
    parts = [facts(known), *reasons_view(plan.get("reasons")), Text(), steps_view(plan.get("steps") or ())]
    if tried := plan.get("dry_run"):
        parts += [Text(), dry_run_view(tried)]
    return Panel(Group(*parts), title=text(plan.get("summary"), "bold"), title_align="left")


def dry_run_view(tried: Body) -> RenderableType:
    """Show what a dry run of a plan said would be done."""
    table = columns("step", "status", "said")
    for step in tried.get("steps") or ():
        table.add_row(text(step.get("step_id")), status(step.get("status")), text(step.get("said")))
    title = Text.assemble("dry run ", plain(tried.get("execution_id")), ", ", status(tried.get("status")))
    return Group(title, table)


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
    known |= {"targets": listed(risk.get("targets")), "no return": no_return(risk)}
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


def no_return(body: Body) -> str:
    """Say in words after which step nobody goes back, and what can't be undone at all."""
    first, never = body.get("point_of_no_return"), body.get("irreversible_steps")
    if not first:
        return "every step can be gone back on"
    more = f"; {listed(never)} can't be undone" if never else ""
    return f"after {plain(first)} nobody goes back{more}"


def reasons_view(reasons: Any) -> list[RenderableType]:  # noqa: ANN401 - JSON
    """Show why policy decided as it did."""
    found = [each for each in reasons or () if isinstance(each, Mapping)]
    return [
        Text.assemble("  • ", plain(each.get("reason")), (f"  [{plain(each.get('guard'))}]", "dim")) for each in found
    ]


def place(context: Body) -> str:
    """Return where something happens, in one line."""
    return " · ".join(f"{name} {plain(value)}" for name, value in context.items() if value is not None) or NOTHING


def paged(table: Table, page: Body) -> RenderableType:
    """Show a page, and how to see the next one."""
    if not table.row_count:
        return Text("nothing there", style="dim")
    cursor = page.get("next_cursor")
    return Group(table, Text(f"more: --cursor {plain(cursor)}", style="dim")) if cursor else table


def _runs(plan: Body) -> Iterator[str]:
    """Yield how the steps run, where that is not one by one and undone if one fails, and what they go back on."""
    constraints = plan.get("constraints") or {}
    if constraints.get("max_concurrency", 1) != 1:
        yield f"up to {plain(constraints['max_concurrency'])} steps of a stage at once"
    yield from _failing(constraints.get("on_failure", "undo"), (plan.get("meta") or {}).get("undoes"))
    for name, group in (plan.get("groups") or {}).items():
        at_once, failing = plain(group.get("max_concurrency")), plain(group.get("max_failures"))
        yield f"of {plain(name)} {at_once} at once, and {failing} may fail"


def _failing(on_failure: str, undoes: str | None) -> Iterator[str]:
    if undoes:
        yield f"goes back on {plain(undoes)}"
    if on_failure != "undo":
        yield f"if a step fails, a person decides {'how it goes on' if undoes else 'before anything is undone'}"
    elif undoes:
        yield "if a step fails, the others are still done, and nothing is done again"


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
