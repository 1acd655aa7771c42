"""The reference page of the command line, rendered from the commands themselves.

python -m carapulse.surfaces.cli.reference > docs/reference/command-line.md
"""

import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from carapulse.surfaces.cli.exits import ExitCode
from carapulse.surfaces.cli.main import make_app

_INTRODUCTION = """# Command line

`carapulse` talks to the HTTP API. `CARAPULSE_URL` or `--url` says where it is; who asks is said by a token in a file
(`CARAPULSE_TOKEN_FILE` or `--token-file`) or in `CARAPULSE_TOKEN`, or else by what `carapulse login` kept. A token
never stands on the command line, which everybody on a machine can read. Every command takes `--json` and then prints
exactly what the API answered, problems included; otherwise answers go to standard output, complaints and progress to
standard error.

This page is rendered by `python -m carapulse.surfaces.cli.reference`.

## Exit codes

| Code | Meaning |
|---|---|
"""


def render() -> str:
    """Return the page."""
    codes = "".join(f"| {code.value} | {code.meaning} |\n" for code in ExitCode)
    return _INTRODUCTION + codes + "".join(_sections(get_command(make_app()), "carapulse"))


def _sections(command: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - typer keeps the type to itself
    children: dict[str, Any] | None = getattr(command, "commands", None)
    if children is None:
        yield _section(command, path)
        return
    for name, child in children.items():
        yield from _sections(child, f"{path} {name}")


def _section(command: Any, path: str) -> str:  # noqa: ANN401 - as above
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    title = " ".join([path, *(each.metavar for each in arguments)])
    rows = [(f"`{each.metavar}`", each.help) for each in arguments]
    rows += [(_names(each), each.help) for each in command.params if each.param_type_name == "option"]
    table = "".join(f"| {name} | {words} |\n" for name, words in rows)
    return f"\n## {title}\n\n{command.help.strip()}\n\n| Option | Meaning |\n|---|---|\n{table}"


def _names(option: Any) -> str:  # noqa: ANN401 - as above
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return f"{names} (needed)" if option.required else names


if __name__ == "__main__":
    sys.stdout.write(render())
