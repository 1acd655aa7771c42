"""carapulse tool: what can be done at all."""

import typer

from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.views.lists import tools_view

app = typer.Typer(no_args_is_help=True, help="What can be done at all.")


@app.callback()
def _group() -> None:
    """Keep the group, although it has one command."""


@app.command("list")
@asking
def list_all(desk: Desk) -> None:
    """List every tool with its actions."""
    desk.show(desk.api.get("/v1/tools"), tools_view)
