"""carapulse token: a token of the development issuer, for a laptop and for tests."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.model import Kind
from carapulse.surfaces.cli.commands import alone
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.options import said

app = typer.Typer()


@app.command("token")
@alone
def token(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    *,
    tenant: Annotated[str, said("Whose things it is about.", "--tenant")],
    subject: Annotated[str, said("Who it speaks for.", "--subject")],
    role: Annotated[
        list[str],
        said("viewer, operator, approver, sre, auditor, security, admin … Again for more.", "--role"),
    ],
    data_dir: Annotated[
        Path | None,
        said("Where `carapulse up` keeps its keys. Also CARAPULSE_DATA_DIR.", "--data-dir"),
    ] = None,
    hours: Annotated[float, typer.Option("--hours", min=0.001, max=744, help="How long it is good for.")] = 12,
    kind: Annotated[Kind, typer.Option("--kind", help="What it speaks for.")] = "person",
    output: Annotated[
        Path | None,
        said("A file that only you can read, instead of standard output.", "--output", "-o"),
    ] = None,
) -> None:
    """Make a token with the key in the data directory. It asks nobody: whoever can read that key is trusted.

    Only an installation with the embedded database and without a file of issuers believes it.
    """
    _refuse_in_vain(desk)
    issuer = DevelopmentIssuer.load_or_make(data_dir or desk.settings.data_dir)
    minted = issuer.mint(tenant, subject, frozenset(role), timedelta(hours=hours), kind)
    if output is not None:
        _keep(output, minted)
    elif desk.as_json:
        desk.write(json.dumps({"token": minted, "tenant": tenant, "subject": subject, "roles": sorted(role)}))
    else:
        desk.write(minted)


def _refuse_in_vain(desk: Desk) -> None:
    if desk.settings.issuers_file is not None or desk.settings.database_url is not None:
        raise Misused("this installation does not believe the key in its data directory; use `carapulse login`")


def _keep(path: Path, minted: str) -> None:
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(minted + "\n")
    except OSError as error:
        raise Misused(f"{path} can't be written: {error}") from error
