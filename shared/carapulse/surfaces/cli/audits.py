"""carapulse audit: the log of everything that happened."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Limit, said
from carapulse.surfaces.cli.views.lists import events_view

app = typer.Typer(no_args_is_help=True, help="The log of everything that happened.")


@app.callback()
def _group() -> None:
    """Keep the group, although it has one command."""


@app.command("list")
@asking
def list_all(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    *,
    plan: Annotated[str | None, said("Only about this plan.", "--plan")] = None,
    kind: Annotated[str | None, said("Only these events, as in PlanDrafted.", "--type")] = None,
    actor: Annotated[str | None, said("Only what this actor did.", "--actor")] = None,
    since: Annotated[str | None, said("Not before, as in 2026-01-31T00:00:00Z.", "--from")] = None,
    until: Annotated[str | None, said("Before this moment.", "--to")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List events, the newest first."""
    wanted = {"plan_id": plan, "type": kind, "actor_id": actor, "from": since, "to": until}
    desk.show(desk.api.get("/v1/audit/events", **wanted, limit=limit, cursor=cursor), events_view)
