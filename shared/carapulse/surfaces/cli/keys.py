"""carapulse keys: changing the key by which secrets are sealed, where the installation runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from carapulse.runtime.beside import renew_sealing, reseal_here
from carapulse.runtime.logging import set_up_logging
from carapulse.settings import load_settings
from carapulse.surfaces.cli.commands import alone
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.exits import ExitCode
from carapulse.surfaces.cli.options import said
from carapulse.surfaces.cli.views.keys import renewed_view, resealed_view

app = typer.Typer(no_args_is_help=True, help="Change the key by which secrets are sealed, where the installation runs.")

DataDir = Annotated[
    Path | None, said("Where the database and the keys are kept. Also CARAPULSE_DATA_DIR.", "--data-dir")
]


@app.command("renew-sealing")
@alone
def renew(desk: Desk, *, data_dir: DataDir = None) -> None:
    """Make a new sealing key in the data directory, and say which settings make it the newest. Nothing uses it before.

    No file is changed, and no process has to be stopped.
    """
    renewed = renew_sealing(load_settings(**_given(data_dir)))
    if desk.as_json:
        desk.write(renewed.model_dump_json())
    else:
        desk.console.print(renewed_view(json.loads(renewed.model_dump_json())), soft_wrap=True)


@app.command("reseal")
@alone
def reseal(desk: Desk, *, data_dir: DataDir = None) -> None:
    """Seal everything that is kept by the newest key, and say whether former keys may go.

    It may be stopped and started again, and the program may run meanwhile; one with the embedded database has to be
    stopped. The exit code is 1 as long as rows are left.
    """
    set_up_logging("reseal")
    done = reseal_here(load_settings(**_given(data_dir)))
    if desk.as_json:
        desk.write(done.model_dump_json())
    else:
        desk.console.print(resealed_view(json.loads(done.model_dump_json())), soft_wrap=True)
    if done.left:
        raise typer.Exit(ExitCode.REFUSED)


def _given(data_dir: Path | None) -> dict[str, Path]:
    return {} if data_dir is None else {"data_dir": data_dir}
