"""From an action's argv to a command: every value is one argument, and none becomes an option."""

import json
import re
from collections.abc import Iterable
from typing import Any

from carapulse.tools.credentials import Credentials
from carapulse.tools.errors import InputRefused
from carapulse.tools.manifest import Argument, Output, ProgramRun
from carapulse.tools.ports import Command
from carapulse.tools.templates import Scope, filled

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def command_of(
    run: ProgramRun, always: tuple[str | Argument, ...], scope: Scope, credentials: Credentials, output: Output
) -> Command:
    """Return the command, with the connection's environment, path and limits."""
    files: dict[str, str] = {}
    connection = credentials.connection
    return Command(
        program=run.program,
        arguments=tuple(_arguments((*always, *run.argv), scope, files)),
        environment=credentials.texts(dict(connection.environment)),
        files=files,
        search_path=connection.search_path,
        limits=connection.limits,
        output_bytes=output.max_bytes,
        shows_stdout=output.format not in {"json", "json_stream"},
    )


def _arguments(items: Iterable[str | Argument], scope: Scope, files: dict[str, str]) -> list[str]:
    arguments: list[str] = []
    options_ended = False
    for item in items:
        if isinstance(item, str):
            options_ended = options_ended or item == "--"
            arguments.append(item)
        else:
            arguments += _values(item, scope, files, options_ended=options_ended)
    return arguments


def _values(item: Argument, scope: Scope, files: dict[str, str], *, options_ended: bool) -> list[str]:
    value = scope.find(item.from_) if item.from_ else filled(item.value, scope)
    if item.flag is not None:
        return [item.flag] if value is True else []
    if value is None:
        if item.omit_if_null:
            return []
        raise InputRefused("a value that the program needs is missing", value=item.from_)
    if item.file is not None:
        files[item.file] = value if isinstance(value, str) else json.dumps(value)
        return [item.prefix + item.file]
    values = value if item.each and isinstance(value, list) else [value]
    return [_argument(item, each, options_ended=options_ended) for each in values]


def _argument(item: Argument, value: Any, *, options_ended: bool) -> str:  # noqa: ANN401 - any JSON value
    text = as_text(value)
    if "\x00" in text or (_CONTROL.search(text) and not item.multiline):
        raise InputRefused("control characters have no place in an argument", value=item.from_)
    if not item.prefix and not options_ended and text.startswith("-"):
        raise InputRefused("a value may not look like an option", value=item.from_)
    if not item.prefix and not text:
        raise InputRefused("an argument may not be empty", value=item.from_)
    return item.prefix + text + item.suffix


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as it is written on a command line or in a URL; 3.0 is 3, true is true."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, separators=(",", ":"))
