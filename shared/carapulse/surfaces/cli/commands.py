"""Makes a function a command: adds the options that all have, and turns what goes wrong into words and an exit code."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from carapulse.kernel.errors import Problem
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import CommandError, Refused
from carapulse.surfaces.cli.exits import of_problem
from carapulse.surfaces.cli.options import said
from carapulse.surfaces.cli.views.problems import complaint_view, problem_view

_Url = Annotated[str | None, said("Where the API is. Also CARAPULSE_URL.", "--url")]
_TokenFile = Annotated[
    Path | None,
    said(
        "File with the bearer token. Also CARAPULSE_TOKEN_FILE, or CARAPULSE_TOKEN for the token itself.",
        "--token-file",
    ),
]
_Json = Annotated[bool, said("Print JSON, exactly as the API answered.", "--json")]

_JSON_OPTION: Final = {"as_json": (_Json, False)}
_NAMING_OPTIONS: Final = {"url": (_Url, None), **_JSON_OPTION}
_ALL_OPTIONS: Final = {"url": (_Url, None), "token_file": (_TokenFile, None), **_JSON_OPTION}


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function that asks the API a command; its first argument is the desk.

    A token comes from a file or the environment, never from the command line, which everybody on a machine can read.
    """
    return _command(function, _ALL_OPTIONS)


def naming(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function that is about an installation without asking it a command; its first argument is the desk."""
    return _command(function, _NAMING_OPTIONS)


def alone(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function that needs no API a command; its first argument is the desk."""
    return _command(function, _JSON_OPTION)


def _command(function: Callable[..., None], options: dict[str, tuple[Any, Any]]) -> Callable[..., None]:
    @wraps(function)
    def run(**given: Any) -> None:  # noqa: ANN401 - as typer gives it
        desk = Desk(**{name: given.pop(name) for name in options})
        with desk.open:
            _carry_out(function, desk, given)

    _, *own = signature(function, eval_str=True).parameters.values()
    common = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]
    parameters = [*(each.replace(kind=Parameter.KEYWORD_ONLY) for each in own), *common]
    run.__signature__ = signature(function).replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _carry_out(function: Callable[..., None], desk: Desk, given: dict[str, Any]) -> None:
    try:
        function(desk, **given)
    except CommandError as error:
        _complain(desk, error)
        raise typer.Exit(error.code) from error
    except Problem as problem:
        desk.side.print(complaint_view(problem.detail, problem.facts, problem.faults))
        raise typer.Exit(of_problem(problem)) from problem


def _complain(desk: Desk, error: CommandError) -> None:
    if not isinstance(error, Refused):
        desk.side.print(complaint_view(error.detail))
    elif desk.as_json:
        desk.write(error.text)
    else:
        desk.side.print(problem_view(error.body))
