"""Tools that return at once, and plans of steps that do nothing: what is left is the price of governing a step."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

from tests.world.rig import Rig, act, check
from tests.world.server import World

from carapulse.plans.views import PlanView
from carapulse.tools.model import Invocation, Outcome, OutcomeKind

_NOWHERE = "http://127.0.0.1:9"
_LAMPS = 9  # policy wants more people to approve what touches many
_numbers = count(1)


class AtOnce:
    """A toolbox whose tools succeed at once; it may tell somebody of each call."""

    def __init__(self, on_call: Callable[[], None] = lambda: None) -> None:
        self.on_call = on_call

    def run(
        self, invocation: Invocation, *, on_line: Callable[[str], None], cancelled: threading.Event, deadline_s: float
    ) -> Outcome:
        """Say that it is done."""
        del invocation, on_line, cancelled, deadline_s
        self.on_call()
        return Outcome(kind=OutcomeKind.SUCCEEDED, detail="", output={"lit": True})


def an_instant_rig(database_url: str, folder: Path, **settings: Any) -> Rig:
    """Build the application with tools that return at once and reach no world."""
    world = World()
    world.base_url = _NOWHERE
    return instant(Rig(database_url, world, folder, **settings))


def instant(rig: Rig, on_call: Callable[[], None] = lambda: None) -> Rig:
    """Give an application tools that return at once."""
    rig.app = replace(rig.app, read_toolbox=cache(partial(AtOnce, on_call)))  # type: ignore[arg-type]
    rig.workers = rig.new_workers()
    return rig


def noops(rig: Rig, salt: str = "lamp", steps: int = 10) -> PlanView:
    """Create a plan of writes and one look at the end that waits for an approval; its targets are nobody else's."""
    lamp = f"{salt}-{next(_numbers)}"
    changes = [act("noop", f"{lamp}-{number % _LAMPS}") for number in range(steps - 1)]
    return rig.plan(*changes, check(f"{lamp}-0"), environment="prod")
