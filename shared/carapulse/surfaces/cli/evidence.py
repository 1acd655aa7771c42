"""carapulse evidence: proof of a change in one file, and its verification without the program that made it."""

from pathlib import Path
from typing import Annotated

import typer

from carapulse.audit import verifier
from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import alone, asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.options import PlanId, said

app = typer.Typer(no_args_is_help=True, help="Proof of a change in one file, and its verification, offline.")


@app.command("export")
@asking
def export(
    desk: Desk,
    plan_id: PlanId,
    output: Annotated[Path | None, said("Where to; standard output if not given.", "--output", "-o")] = None,
) -> None:
    """Write everything that happened to a plan as one signed file."""
    bundle = desk.api.text(path_of("plans", plan_id, "evidence"))
    if output is None:
        typer.echo(bundle, nl=False)
        return
    try:
        output.write_text(bundle, encoding="utf-8", newline="")
    except OSError as error:
        raise Misused(f"{output} can't be written: {error}") from error
    desk.side.print(f"{output}: {len(bundle.encode())} bytes; verify it with `carapulse evidence verify`")


@app.command("key")
@asking
def key(desk: Desk) -> None:
    """Print the key that evidence is verified with. Keep it where the installation can't change it."""
    desk.write(desk.api.text("/v1/audit/key"))


@app.command("checkpoint")
@asking
def checkpoint(desk: Desk) -> None:
    """Print the newest signed checkpoint. Kept elsewhere, it is a witness that evidence can be held against."""
    desk.write(desk.api.text("/v1/audit/checkpoints/latest"))


@app.command("verify")
@alone
def verify(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The evidence.", show_default=False)],
    key: Annotated[str, said("The installation's key, or a file that holds it.", "--key")],
    witness: Annotated[
        Path | None,
        said("A checkpoint kept elsewhere; it must be among those in the evidence.", "--witness"),
    ] = None,
) -> None:
    """Verify evidence with no database and no network: it holds (0), is wrong (1), or can't be tried (2)."""
    arguments = [f"--key={key}", *([f"--witness={witness}"] if witness else []), *(["--json"] if desk.as_json else [])]
    raise typer.Exit(verifier.main([*arguments, "--", str(file)]))
