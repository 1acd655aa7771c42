"""`carapulse up`: everything in one process, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from carapulse.runtime.local import serve
from carapulse.runtime.logging import set_up_logging
from carapulse.settings import load_settings
from carapulse.surfaces.cli.commands import alone
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import said

app = typer.Typer()


@app.command("up")
@alone
def up(
    _desk: Desk,
    *,
    port: Annotated[int | None, said("TCP port of the API; 0 takes a free one.", "--port")] = None,
    data_dir: Annotated[Path | None, said("Where the database and the keys are kept.", "--data-dir")] = None,
) -> None:
    """Run the API, the workers and the scheduler until it is told to stop.

    One line of JSON on stdout says when it can be used: {"event": "ready", "url": …}. Logs go to stderr.
    """
    set_up_logging("carapulse")
    given = {"port": port, "data_dir": data_dir}
    raise typer.Exit(serve(load_settings(**{name: value for name, value in given.items() if value is not None})))
