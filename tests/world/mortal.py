"""Workers that die: at a boundary everything they were doing ends, nothing is given back, and they never do more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial

from tests.world.bounded import BoundedDirect, BoundedToolbox
from tests.world.server import DEEDS

from carapulse.bootstrap import App
from carapulse.bootstrap.work import Work
from carapulse.kernel.call import Call

_EFFECTS = {f"run {action}" for action in DEEDS}


class Gone(BaseException):
    """The process of a worker has ended; no handler of it may go on."""


@dataclass
class Life:
    """Counts the boundaries of one worker. At the one numbered `ends_at` it dies; 0 lets it live.

    `after` happens once, when an effect took place and nobody has noted it.
    """

    ends_at: int = 0
    passed: int = 0
    over: bool = False
    after: Callable[[], None] | None = None

    def reach(self) -> None:
        """Pass a boundary, or raise Gone at it and at every later one."""
        self.passed += 1
        self.over = self.over or self.passed == self.ends_at
        if self.over:
            raise Gone

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Pass the boundary before something, and the one after it."""
        self.reach()
        yield
        self.reach()
        if self.after is not None and name in _EFFECTS:
            happens, self.after = self.after, None
            happens()

    def end(self) -> None:
        """Die here."""
        self.over = True
        raise Gone


@dataclass(frozen=True)
class MortalApp(App):
    """The application as one worker has it."""

    life: Life = field(default_factory=Life)

    def begin(self, call: Call) -> Work:
        """Open a unit of work, unless the worker is dead."""
        self.life.reach()
        return super().begin(call)


def in_one_life(app: App, life: Life) -> MortalApp:
    """Return the application for one worker, which shares nothing with others but the database and the world."""
    parts = {name: getattr(app, name) for name in App.__dataclass_fields__}
    parts["read_toolbox"] = cache(partial(BoundedToolbox, app.toolbox, life))
    parts["direct"] = BoundedDirect(app.direct, life)
    return MortalApp(**parts, life=life)
