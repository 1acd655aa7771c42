"""carapulse runbook: what people do about a service, in versions that stay."""

from typing import Annotated, Final

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Limit, read_text, said
from carapulse.surfaces.cli.views.lists import runbook_view, runbooks_view

app = typer.Typer(no_args_is_help=True, help="What people do about a service, in versions that stay.")

_ALL: Final = "/v1/runbooks"
RunbookId = Annotated[str, typer.Argument(metavar="RUNBOOK", help="The runbook's id.", show_default=False)]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help="Whose runbook it is.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)]
File = Annotated[str, typer.Argument(metavar="FILE", help="What it says, as Markdown; - is standard input.")]


@app.command("list")
@asking
def list_all(
    desk: Desk,
    service: Annotated[str | None, said("Those of one service.", "--service")] = None,
    tag: Annotated[str | None, said("Those with a tag.", "--tag")] = None,
    begins: Annotated[str | None, said("Those whose names begin so.", "--begins")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List runbooks by name."""
    found = desk.api.get(_ALL, service=service, tag=tag, q=begins, limit=limit, cursor=cursor)
    desk.show(found, runbooks_view)


@app.command("get")
@asking
def get(
    desk: Desk,
    runbook_id: RunbookId,
    version: Annotated[int | None, said("Which version, if not the newest.", "--version", min=1)] = None,
) -> None:
    """Show a runbook with what it says."""
    older = () if version is None else ("versions", str(version))
    desk.show(desk.api.get(path_of("runbooks", runbook_id, *older)), runbook_view)


@app.command("put")
@asking
def put(
    desk: Desk,
    service: Service,
    name: Name,
    file: File,
    tag: Annotated[list[str] | None, said("What it is found by, instead of before. Again for more.", "--tag")] = None,
) -> None:
    """Keep a runbook: a new one, or the next version of the one that has the name."""
    content = {"body": read_text(file)} | ({"tags": tag} if tag else {})
    known = desk.api.get(_ALL, service=service, name=name).body["data"]
    if known:
        desk.show(desk.api.patch(path_of("runbooks", known[0]["id"]), content), runbook_view)
    else:
        desk.show(desk.api.post(_ALL, {"service": service, "name": name, **content}), runbook_view)
