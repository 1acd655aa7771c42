"""carapulse alert: what was reported, and what it led to."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Limit, said
from carapulse.surfaces.cli.views.lists import alerts_view

app = typer.Typer(no_args_is_help=True, help="What was reported, and what it led to.")


@app.callback()
def _group() -> None:
    """Keep the group, although it has one command."""


@app.command("list")
@asking
def list_all(
    desk: Desk,
    status: Annotated[str | None, said("open, planned, resolved or failed.", "--status")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List alerts, the newest first."""
    desk.show(desk.api.get("/v1/alerts", status=status, limit=limit, cursor=cursor), alerts_view)
