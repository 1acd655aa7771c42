"""carapulse: the command."""

import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Annotated, Final

import typer

from carapulse.surfaces.cli.exits import ExitCode

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "plan": ("plans:app", "Ask for changes, look at them, answer them, execute them."),
    "approval": ("approvals:app", "What waits for an answer."),
    "execution": ("executions:app", "Follow what is being done, and stop it."),
    "workflow": ("workflows:app", "Recipes that become plans."),
    "alert": ("alerts:app", "What was reported, and what it led to."),
    "source": ("sources:app", "Who may report alerts, and what those lead to."),
    "runbook": ("runbooks:app", "What people do about a service, in versions that stay."),
    "queue": ("queues:app", "What was given up, and why; try it again, or throw it away."),
    "tool": ("tools:app", "What can be done at all."),
    "audit": ("audits:app", "The log of everything that happened."),
    "evidence": ("evidence:app", "Proof of a change in one file, and its verification, offline."),
    "login": ("login:login", "Get a token from your identity provider, in its own page."),
    "logout": ("login:logout", "Forget the login for an installation."),
    "up": ("up:up", "Everything in one process: the API, the workers, the database."),
    "token": ("tokens:token", "Make a token with the key in the data directory."),
    "keys": ("keys:app", "Change the key by which secrets are sealed, where the installation runs."),
    "demo": ("demo:demo", "Show the main job on real things, on this machine, in half a minute."),
}
"""Each command: the module beside this one and the name in it, and a sentence. It is imported when it is called."""

_PACKAGE: Final = "carapulse.surfaces.cli"
_CODES: Final = "\n\n".join(["Exit codes:", *(f"{code.value}: {code.meaning}" for code in ExitCode)])


def make_app(called: str | None = None) -> typer.Typer:
    """Return the command line with one command ready to run; without a name, with all of them."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, epilog=_CODES, rich_markup_mode="markdown")
    app.callback()(_carapulse)
    for name, (target, sentence) in COMMANDS.items():
        if called in {None, name}:
            _add(app, name, target, sentence)
        else:
            app.command(name, help=sentence)(_mentioned)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    called = given[0] if given else None
    # Completion asks without arguments and must know every option; help needs only the sentences.
    make_app(called if given else None)(given, prog_name="carapulse")


def _add(app: typer.Typer, name: str, target: str, sentence: str) -> None:
    module, attribute = target.split(":")
    found = getattr(import_module(f"{_PACKAGE}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=sentence)
    else:
        app.command(name)(found)


def _mentioned() -> None:
    """Stand in help for a command that was not called."""


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    if wanted:
        typer.echo(metadata.version("carapulse"))
        raise typer.Exit


def _carapulse(
    *,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Say which version this is.")
    ] = False,
) -> None:
    """Carapulse: change that is judged, approved, executed, verified, undone when it did not help, and proven.

    Commands talk to the HTTP API. CARAPULSE_URL says where it is; CARAPULSE_TOKEN_FILE, CARAPULSE_TOKEN or
    `carapulse login` who asks.
    """
