"""Following an execution to its end: a picture that changes for a person, lines or JSON for whatever else reads."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from carapulse.surfaces.cli.client import Answer, Api, path_of
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import CommandError
from carapulse.surfaces.cli.events import follow
from carapulse.surfaces.cli.exits import ExitCode
from carapulse.surfaces.cli.views.executions import changes_between, execution_view, is_final
from carapulse.surfaces.cli.views.logs import line_of

_PAUSE_S: Final = 0.3
_LINES: Final = 8
_LAST_LINES_S: Final = 3.0


def watch(desk: Desk, execution_id: str) -> Mapping[str, Any]:
    """Show an execution until it is over, and return how it ended."""
    looks = _looks(desk.api, execution_id)
    if desk.as_json:
        return _as_json(desk, looks)
    if desk.console.is_terminal:
        return _live(desk, execution_id, looks)
    return _as_lines(desk, looks)


def end_with(execution: Mapping[str, Any]) -> None:
    """End the command with the exit code that says how an execution ended."""
    if execution.get("status") != "succeeded":
        raise typer.Exit(ExitCode.ENDED_OTHERWISE)


def _looks(api: Api, execution_id: str) -> Iterator[Answer]:
    """Look at an execution again and again, for the last time when it is over."""
    while True:
        answer = api.get(path_of("executions", execution_id))
        yield answer
        if is_final(answer.body):
            return
        time.sleep(_PAUSE_S)


def _as_json(desk: Desk, looks: Iterator[Answer]) -> Mapping[str, Any]:
    former, body = "", {}
    for answer in looks:
        if answer.text != former:
            desk.write(answer.text)
        former, body = answer.text, answer.body
    return body


def _as_lines(desk: Desk, looks: Iterator[Answer]) -> Mapping[str, Any]:
    body: Mapping[str, Any] = {}
    for answer in looks:
        for line in changes_between(body, answer.body):
            desk.write(line)
        body = answer.body
    return body


def _live(desk: Desk, execution_id: str, looks: Iterator[Answer]) -> Mapping[str, Any]:
    lines: deque[Text] = deque(maxlen=_LINES)
    body: Mapping[str, Any] = {}
    reader = _LineReader(desk, execution_id, lines)
    reader.start()
    with Live(console=desk.console, auto_refresh=False) as live:
        for answer in looks:
            body = answer.body
            live.update(_picture(body, lines), refresh=True)
        reader.join(_LAST_LINES_S)
        live.update(_picture(body, lines), refresh=True)
    return body


def _picture(body: Mapping[str, Any], lines: deque[Text]) -> RenderableType:
    return Group(execution_view(body), *list(lines))


class _LineReader(threading.Thread):
    """Collects the last lines that tools wrote. Losing them spoils the picture, not the watch."""

    def __init__(self, desk: Desk, execution_id: str, lines: deque[Text]) -> None:
        super().__init__(daemon=True)
        self._api = desk.api
        self._path = path_of("executions", execution_id, "logs")
        self._lines = lines

    def run(self) -> None:
        try:
            for event in follow(self._api, self._path):
                if event.kind == "log":
                    self._lines.append(line_of(event.data))
        except CommandError as error:
            self._lines.append(Text(f"the lines of the tools can't be followed: {error.detail}", style="red"))
