"""The desk a command works at: whom it asks, and how it answers."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rich.console import Console, RenderableType

from carapulse.kernel.clock import SystemClock
from carapulse.settings import Settings, load_settings, state_home
from carapulse.surfaces.cli.client import Answer, Api
from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.logins import KeptLogin

_LONGEST_TOKEN: Final = 8192
_PAGE: Final = 140

View = Callable[[Any], RenderableType]
"""How the body of an answer is shown to a person."""


@dataclass
class Desk:
    """One run of one command: the API it asks, and the terminal or the program that reads its answer."""

    url: str | None = None
    token_file: Path | None = None
    as_json: bool = False
    open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def settings(self) -> Settings:
        """What the environment says."""
        return load_settings()

    @cached_property
    def api(self) -> Api:
        """The API that the options and the environment name, asked as whom they name."""
        return self.open.enter_context(Api(self.where, self._token()))

    @property
    def where(self) -> str:
        """The address of the installation that this is about."""
        return (self.url or self.settings.url).rstrip("/")

    @cached_property
    def login(self) -> KeptLogin:
        """Where the login for that installation is kept."""
        return KeptLogin.of(state_home() / "carapulse" / "logins", self.where)

    @cached_property
    def console(self) -> Console:
        """Where answers go. A file or a pipe has no width of its own, and gets one that tables fit in."""
        width = None if sys.stdout.isatty() else _PAGE
        return Console(width=width, highlight=False, emoji=False, markup=False)

    @cached_property
    def side(self) -> Console:
        """Where complaints and progress go, so that they never mix with an answer."""
        return Console(stderr=True, highlight=False, emoji=False, markup=False)

    @property
    def can_ask(self) -> bool:
        """Whether there is a person who could answer a question."""
        return not self.as_json and sys.stdin.isatty()

    def show(self, answer: Answer, view: View) -> None:
        """Print an answer: as it came for a program, as a picture for a person."""
        if self.as_json:
            self.write(answer.text)
        else:
            self.console.print(view(answer.body))

    def write(self, text: str) -> None:
        """Print text as it is, and end its line."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def _token(self) -> str | None:
        path = self.token_file or self.settings.token_file
        if path is not None:
            return _read_token(path)
        if self.settings.token is not None:
            return self.settings.token.get_secret_value()
        return self.login.token(SystemClock())


def _read_token(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            text = file.read(_LONGEST_TOKEN + 2).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"the token can't be read: {error}") from error
    if not text or len(text) > _LONGEST_TOKEN or any(map(str.isspace, text)):
        raise Misused(f"there is no token in {path}")
    return text
