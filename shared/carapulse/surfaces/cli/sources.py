"""carapulse source: who may report alerts, and what those lead to."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import read_object, said
from carapulse.surfaces.cli.views.lists import issued_view, record_view, sources_view

app = typer.Typer(no_args_is_help=True, help="Who may report alerts, and what those lead to.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The source's name.", show_default=False)]


@app.command("add")
@asking
def add(
    desk: Desk,
    name: Name,
    file: Annotated[
        str,
        said("The registration as YAML or JSON; - is standard input.", "--file", "-f"),
    ],
) -> None:
    """Register a source, or change its registration. A secret that is made for it is shown this once."""
    desk.show(desk.api.put(path_of("sources", name), read_object(file)), issued_view)


@app.command("list")
@asking
def list_all(desk: Desk) -> None:
    """List the sources."""
    desk.show(desk.api.get("/v1/sources"), sources_view)


@app.command("get")
@asking
def get(desk: Desk, name: Name) -> None:
    """Show a source; its secrets stay hidden."""
    desk.show(desk.api.get(path_of("sources", name)), record_view)


@app.command("delete")
@asking
def delete(desk: Desk, name: Name) -> None:
    """Forget a source: what it sends from now on is refused."""
    desk.api.delete(path_of("sources", name))
    if not desk.as_json:
        desk.side.print(f"{name} is no source any more")


@app.command("rotate")
@asking
def rotate(
    desk: Desk,
    name: Name,
    older_for: Annotated[int | None, said("Seconds that older secrets still hold.", "--older-for", min=0)] = None,
) -> None:
    """Give a source a new secret, which is shown this once; the older ones hold for a while."""
    body = {} if older_for is None else {"older_for_s": older_for}
    desk.show(desk.api.post(path_of("sources", name, verb="rotate"), body), issued_view)
