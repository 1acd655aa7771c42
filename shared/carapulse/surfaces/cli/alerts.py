"""carapulse alert: what was reported, and what it led to."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Limit, said
from carapulse.surfaces.cli.views.lists import alerts_view, record_view

app = typer.Typer(no_args_is_help=True, help="What was reported, and what it led to.")


AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id.", show_default=False)]


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


@app.command("get")
@asking
def get(desk: Desk, alert_id: AlertId) -> None:
    """Show an alert: what was reported, and why it became a plan or not."""
    desk.show(desk.api.get(path_of("alerts", alert_id)), record_view)


@app.command("close")
@asking
def close(desk: Desk, alert_id: AlertId) -> None:
    """Say that an alert is over, although its source never did."""
    desk.show(desk.api.post(path_of("alerts", alert_id, verb="close")), record_view)
