"""carapulse plan: ask for changes, look at them, answer them, execute them."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.answers import approve, deny, revoke
from carapulse.surfaces.cli.asks import create, revise
from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Digest, Limit, PlanId, said
from carapulse.surfaces.cli.views.lists import record_view, timeline_view
from carapulse.surfaces.cli.views.plans import diff_view, plan_view, plans_view, risk_view
from carapulse.surfaces.cli.watching import end_with, watch

app = typer.Typer(no_args_is_help=True, help="Ask for changes, look at them, answer them, execute them.")
for command in (create, revise, approve, deny, revoke):
    app.command(command.__name__)(command)


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


@app.command("execute")
@asking
def execute(
    desk: Desk,
    plan_id: PlanId,
    *,
    digest: Digest = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done; change nothing.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end; the exit code says how it ended.")
    ] = False,
) -> None:
    """Begin to execute a plan that may be executed, or to try it out."""
    body = ({"digest": digest} if digest else {}) | ({"dry_run": True} if dry_run else {})
    answer = desk.api.post(path_of("plans", plan_id, verb="execute"), body or None)
    if wait:
        end_with(watch(desk, str(answer.body["execution_id"])))
    else:
        desk.show(answer, record_view)


@app.command("close")
@asking
def close(desk: Desk, plan_id: PlanId, *, reason: Annotated[str, said("Why, in one line.", "--reason")]) -> None:
    """Say that a plan is not wanted any more."""
    desk.show(desk.api.post(path_of("plans", plan_id, verb="close"), {"reason": reason}), record_view)
