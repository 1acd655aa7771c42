"""carapulse plan: ask for changes, look at them, answer them, execute them."""

from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from carapulse.surfaces.cli.client import Answer, path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.options import (
    Cursor,
    Environment,
    Inputs,
    Limit,
    Note,
    Place,
    PlanId,
    context_of,
    pairs,
    read_document,
    read_object,
    said,
)
from carapulse.surfaces.cli.views.lists import answered_view, record_view, timeline_view
from carapulse.surfaces.cli.views.plans import diff_view, plan_view, plans_view, risk_view
from carapulse.surfaces.cli.views.text import plain
from carapulse.surfaces.cli.watching import end_with, watch

app = typer.Typer(no_args_is_help=True, help="Ask for changes, look at them, answer them, execute them.")

Digest = Annotated[
    str | None,
    said("The digest that was looked at; a plan with another is refused.", "--digest"),
]


@app.command("create")
@asking
def create(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    *,
    file: Annotated[
        str | None,
        said("The whole request as YAML or JSON; - is standard input.", "--file", "-f"),
    ] = None,
    summary: Annotated[str | None, said("One line about the change.", "--summary")] = None,
    intent: Annotated[str | None, said("Why, and what is hoped for.", "--intent")] = None,
    workflow: Annotated[str | None, said("The recipe to follow.", "--workflow")] = None,
    inputs: Inputs = None,
    steps: Annotated[str | None, said("The steps as a YAML or JSON list in a file.", "--steps")] = None,
    environment: Environment = None,
    context: Place = None,
) -> None:
    """Ask for a change. What comes back is judged, and nothing is done yet. Options add to what the file says."""
    if inputs and not workflow:
        raise Misused("--input is for a --workflow")
    body = read_object(file) if file else {}
    given = body.get("context")
    where = (given if isinstance(given, dict) else {}) | context_of(environment, context)
    added = {
        "summary": summary,
        "intent": intent,
        "context": where or None,
        "workflow": {"name": workflow, "input": pairs(inputs)} if workflow else None,
        "steps": read_document(steps) if steps else None,
    }
    body |= {name: value for name, value in added.items() if value is not None}
    if not body:
        raise Misused("say what is to be done: --file, or --summary with --workflow or --steps")
    desk.show(desk.api.post("/v1/plans", body), plan_view)


@app.command("get")
@asking
def get(desk: Desk, plan_id: PlanId) -> None:
    """Show a plan with all its steps."""
    desk.show(desk.api.get(path_of("plans", plan_id)), plan_view)


@app.command("list")
@asking
def list_all(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    *,
    status: Annotated[str | None, said("Only these.", "--status")] = None,
    environment: Annotated[str | None, said("Only there.", "--environment", "-e")] = None,
    risk: Annotated[str | None, said("read, low, medium or high.", "--risk")] = None,
    trigger: Annotated[str | None, said("manual, alert, webhook …", "--trigger")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List plans, the newest first."""
    wanted = {"status": status, "environment": environment, "risk": risk, "trigger": trigger}
    desk.show(desk.api.get("/v1/plans", **wanted, limit=limit, cursor=cursor), plans_view)


@app.command("diff")
@asking
def diff(
    desk: Desk,
    plan_id: PlanId,
    against: Annotated[int | None, said("Another version to compare with.", "--against", min=1)] = None,
) -> None:
    """Show what a plan would change."""
    desk.show(desk.api.get(path_of("plans", plan_id, "diff"), against=against), diff_view)


@app.command("risk")
@asking
def risk(desk: Desk, plan_id: PlanId) -> None:
    """Show how dangerous a plan is, and why."""
    desk.show(desk.api.get(path_of("plans", plan_id, "risk")), risk_view)


@app.command("timeline")
@asking
def timeline(desk: Desk, plan_id: PlanId) -> None:
    """Show everything that happened to a plan."""
    desk.show(desk.api.get(path_of("plans", plan_id, "timeline")), timeline_view)


@app.command("approve")
@asking
def approve(
    desk: Desk,
    plan_id: PlanId,
    *,
    digest: Digest = None,
    note: Note = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether that is what you mean.")] = False,
) -> None:
    """Agree to a plan, exactly as it is shown: the answer names its digest, and counts for nothing else."""
    desk.show(_answer(desk, plan_id, "approved", (digest, note), yes=yes), answered_view)


@app.command("deny")
@asking
def deny(
    desk: Desk,
    plan_id: PlanId,
    *,
    digest: Digest = None,
    note: Note = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether that is what you mean.")] = False,
) -> None:
    """Say no to a plan. One no is enough."""
    desk.show(_answer(desk, plan_id, "denied", (digest, note), yes=yes), answered_view)


@app.command("execute")
@asking
def execute(
    desk: Desk,
    plan_id: PlanId,
    *,
    digest: Digest = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end; the exit code says how it ended.")
    ] = False,
) -> None:
    """Begin to execute a plan that may be executed."""
    answer = desk.api.post(path_of("plans", plan_id, verb="execute"), {"digest": digest} if digest else None)
    if wait:
        end_with(watch(desk, str(answer.body["execution_id"])))
    else:
        desk.show(answer, record_view)


def _answer(desk: Desk, plan_id: str, status: str, said: tuple[str | None, str | None], *, yes: bool) -> Answer:
    digest, note = said
    if digest is None:
        digest = _looked_at(desk, plan_id, status, yes=yes)
    body = {"plan_id": plan_id, "status": status, "digest": digest} | ({"note": note} if note else {})
    return desk.api.post("/v1/approvals", body)


def _looked_at(desk: Desk, plan_id: str, status: str, *, yes: bool) -> str:
    """Return the digest of the plan as it was just shown, if that is what the person means."""
    if not (yes or desk.can_ask):
        raise Misused("nobody can be asked here: give --digest, or --yes for the plan as it is now")
    plan = desk.api.get(path_of("plans", plan_id)).body
    if not yes:
        desk.side.print(Group(plan_view(plan), Text(f"digest {plain(plan['digest'])}")))
        typer.confirm(f"Is exactly this {status}?", abort=True, err=True)
    return str(plan["digest"])
