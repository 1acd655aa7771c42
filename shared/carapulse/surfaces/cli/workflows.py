"""carapulse workflow: recipes that become plans."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Environment, Inputs, Place, context_of, pairs, read_object, said
from carapulse.surfaces.cli.views.lists import record_view, workflows_view
from carapulse.surfaces.cli.views.plans import plan_view

app = typer.Typer(no_args_is_help=True, help="Recipes that become plans.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The recipe's name.", show_default=False)]


@app.command("list")
@asking
def list_all(desk: Desk) -> None:
    """List the recipes, and what each wants to know."""
    desk.show(desk.api.get("/v1/workflows"), workflows_view)


@app.command("get")
@asking
def get(desk: Desk, name: Name) -> None:
    """Show one recipe."""
    desk.show(desk.api.get(path_of("workflows", name)), record_view)


@app.command("start")
@asking
def start(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    name: Name,
    *,
    inputs: Inputs = None,
    file: Annotated[
        str | None,
        said("The input as YAML or JSON; - is standard input.", "--file", "-f"),
    ] = None,
    environment: Environment = None,
    context: Place = None,
    summary: Annotated[str | None, said("One line about the change.", "--summary")] = None,
) -> None:
    """Make a plan from a recipe. It is judged like any other, and nothing is done yet."""
    given = (read_object(file) if file else {}) | pairs(inputs)
    body = {"input": given, "context": context_of(environment, context)} | ({"summary": summary} if summary else {})
    desk.show(desk.api.post(path_of("workflows", name, verb="start"), body), plan_view)
