"""carapulse demo: the main job on real things, on this machine."""

import json
from typing import Annotated

import typer

from carapulse.surfaces.cli.commands import alone
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.exits import ExitCode
from carapulse.surfaces.demo.stage import quiet
from carapulse.surfaces.demo.story import run


@alone
def demo(
    desk: Desk,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its folder: database, evidence, logs.")] = False,
) -> None:
    """Show the main job from end to end, on real processes that end with the demo, in half a minute.

    An alert becomes a judged plan, a second person approves it, it is executed and verified; a change that does not
    help undoes itself; and the evidence of both is verified offline. Exit code 0 only if every claim held.
    """
    document = run(quiet() if desk.as_json else desk.console, keep=keep)
    if desk.as_json:
        desk.write(json.dumps(document, ensure_ascii=False))
    elif keep:
        desk.side.print(f"kept in {document['folder']}")
    if not document["ok"]:
        raise typer.Exit(ExitCode.REFUSED)
