"""The command line as a whole: what all commands have in common."""

import pytest
import typer
from typer.main import get_command

from carapulse.surfaces.cli.main import COMMANDS, make_app

LOOKED_AT = {"get", "diff", "risk", "timeline", "up"}
"""Commands of plans that one parametrized test tries, and the one that all those tests stand on."""


def every_command(command=None, path=()):
    command = command or get_command(make_app())
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, child in command.commands.items():
        yield from every_command(child, (*path, name))


@pytest.mark.parametrize(("path", "command"), [(" ".join(path), command) for path, command in every_command()])
def test_every_command_can_answer_a_program(path, command):
    options = {option for parameter in command.params for option in parameter.opts}

    assert "--json" in options or path == "up"


@pytest.mark.parametrize(("path", "command"), [(" ".join(path), command) for path, command in every_command()])
def test_no_command_takes_a_token_where_others_can_read_it(path, command):
    assert not {"--token", "-token", "-t"} & {option for each in command.params for option in each.opts}


@pytest.mark.parametrize(("path", "command"), [(" ".join(path), command) for path, command in every_command()])
def test_every_command_and_option_is_explained(path, command):
    assert command.help
    assert all(parameter.help for parameter in command.params)


def test_help_needs_no_import_of_what_is_not_called(capsys):
    with pytest.raises(SystemExit) as ended:
        make_app("--help")(["--help"], prog_name="carapulse")

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(name in said for name in COMMANDS)
    assert "Exit codes" in said


def test_a_command_that_is_not_called_is_only_mentioned():
    found = {path[0] for path, _ in every_command(get_command(make_app("plan"))) if len(path) > 1}

    assert found == {"plan"}


def test_the_version_is_said(capsys):
    with pytest.raises(SystemExit) as ended:
        make_app()(["--version"], prog_name="carapulse")

    assert ended.value.code == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def test_typer_is_told_nothing_that_it_would_print_with_local_values():
    assert make_app().pretty_exceptions_enable is False
    assert isinstance(make_app(), typer.Typer)


@pytest.mark.parametrize("path", [path for path, _ in every_command()])
def test_every_command_is_tried_against_a_real_installation(path, request):
    root = request.config.rootpath / "tests"
    tried = "".join(
        file.read_text() for folder in ("builders", "integration", "e2e") for file in (root / folder).rglob("*.py")
    )

    assert ", ".join(f'"{word}"' for word in path) in tried or path[-1] in LOOKED_AT
