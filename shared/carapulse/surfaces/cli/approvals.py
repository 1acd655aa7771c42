"""carapulse approval: what waits for an answer."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Limit, said
from carapulse.surfaces.cli.views.lists import approvals_view

app = typer.Typer(
    no_args_is_help=True, help="What waits for an answer. Answer with `carapulse plan approve` or `deny`."
)


@app.callback()
def _group() -> None:
    """Keep the group, although it has one command."""


@app.command("list")
@asking
def list_all(
    desk: Desk,
    status: Annotated[str | None, said("pending, approved, denied …", "--status")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List approvals, the newest first."""
    desk.show(desk.api.get("/v1/approvals", status=status, limit=limit, cursor=cursor), approvals_view)
