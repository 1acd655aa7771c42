"""The ports at which a worker can end: each statement on the driver's own connections, and each call of a tool."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from carapulse.adapters.postgres.direct import Direct
from carapulse.tools.model import Invocation, Outcome

_FUNCTIONS = (re.compile(r"(\w+)\(:"), re.compile(r"FROM\s+(\w+)\("))


class Bounds(Protocol):
    """What happens at boundaries; it may end the worker."""

    def around(self, name: str, /) -> AbstractContextManager[None]:
        """Pass the boundary before something, and the one after it."""
        ...


@dataclass
class BoundedDirect:
    """The driver's own connections, where each statement is a commit."""

    direct: Direct
    bounds: Bounds

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        """Run a statement between its two boundaries."""
        with self.bounds.around(_name(statement)):
            return self.direct.run(statement, **parameters)

    def close(self) -> None:
        """Close what is idle."""
        self.direct.close()


@dataclass
class BoundedToolbox:
    """The one way to anything outside, where each call may be an effect."""

    toolbox: Any
    bounds: Bounds

    def run(self, invocation: Invocation, **watch: Any) -> Outcome:
        """Run an invocation between its two boundaries."""
        with self.bounds.around(f"{invocation.mode.value} {invocation.action}"):
            outcome: Outcome = self.toolbox.run(invocation, **watch)
            return outcome


def _name(statement: str) -> str:
    found = (each.search(statement) for each in _FUNCTIONS)
    return next((each.group(1) for each in found if each), statement)
