"""Options and arguments that several commands share, and how what they hold is read."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from carapulse.surfaces.cli.errors import Misused


def said(words: str, *names: str, **more: Any) -> Any:  # noqa: ANN401 - as typer takes and gives it
    """Return an option that is left out by default, which help need not mention."""
    return typer.Option(*names, help=words, show_default=False, **more)


PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.", show_default=False)]
ExecutionId = Annotated[str, typer.Argument(metavar="EXECUTION", help="The execution's id.", show_default=False)]
Digest = Annotated[str | None, said("The digest that was looked at; a plan with another is refused.", "--digest")]
Note = Annotated[str | None, said("Why, in your words; kept with it.", "--note")]
Limit = Annotated[int | None, said("How many at most.", "--limit", min=1, max=200)]
Cursor = Annotated[str | None, said("Where the last page ended.", "--cursor")]
Environment = Annotated[str | None, said("Where it is to happen.", "--environment", "-e")]
Place = Annotated[
    list[str] | None, said("More about where, as name=value: service, namespace, cluster, region …", "--context")
]
Inputs = Annotated[
    list[str] | None,
    said("name=text, or name:=JSON for anything but text. Again for more.", "--input", "-i"),
]

_LARGEST: Final = 1024 * 1024
_KEYS: Final = {"cluster": "cluster_id"}


def read_text(path: str) -> str:
    """Return the text of a file; `-` is standard input. Raises Misused."""
    try:
        if path == "-":
            text = sys.stdin.read(_LARGEST + 1)
        else:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(_LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{path} can't be read: {error}") from error
    if len(text) > _LARGEST:
        raise Misused(f"{path} is larger than 1 MiB")
    return text


def read_document(path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a YAML or JSON file holds; `-` is standard input. Raises Misused."""
    try:
        return yaml.load(read_text(path), Loader=_Plain)  # noqa: S506 - derived from SafeLoader
    except yaml.YAMLError as error:
        raise Misused(f"{path} is neither YAML nor JSON: {error}") from error


def read_object(path: str) -> dict[str, Any]:
    """Return the object that a YAML or JSON file holds. Raises Misused."""
    found = read_document(path)
    if not isinstance(found, dict):
        raise Misused(f"{path} must hold an object")
    return found


def pairs(given: list[str] | None) -> dict[str, Any]:
    """Return `name=text` and `name:=JSON` as an object. Raises Misused."""
    found: dict[str, Any] = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals or not name.rstrip(":"):
            raise Misused(f"{each!r} is not of the form name=text or name:=JSON")
        found[name.rstrip(":")] = _json(each, value) if name.endswith(":") else value
    return found


def context_of(environment: str | None, more: list[str] | None) -> dict[str, Any]:
    """Return where a change is to happen."""
    named = {_KEYS.get(name, name): value for name, value in pairs(more).items()}
    return ({"environment": environment} if environment else {}) | named


def _json(each: str, value: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(value)
    except ValueError as error:
        raise Misused(f"behind := in {each!r} there is no JSON") from error


class _Plain(yaml.SafeLoader):
    """YAML as JSON means it: a date stays text."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
