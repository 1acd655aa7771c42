"""Workers that die: at a boundary everything they were doing ends, nothing is given back, and they never do more."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.journal import PostgresJournal
from carapulse.bootstrap import App, Work
from carapulse.kernel.call import Call
from carapulse.tools.model import Mode


class Gone(BaseException):
    """The process of a worker has ended; no handler of it may go on."""


@dataclass
class Life:
    """Counts the boundaries of one worker. At the one numbered `ends_at` it dies; 0 lets it live."""

    ends_at: int = 0
    passed: int = 0
    over: bool = False

    def reach(self) -> None:
        """Pass a boundary, or raise Gone at it and at every later one."""
        self.passed += 1
        self.over = self.over or self.passed == self.ends_at
        if self.over:
            raise Gone

    def end(self) -> None:
        """Die here."""
        self.over = True
        raise Gone


@dataclass
class MortalDirect:
    """The driver's own connections, in one life."""

    direct: Direct
    life: Life

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        """Run a statement between two boundaries."""
        self.life.reach()
        rows = self.direct.run(statement, **parameters)
        self.life.reach()
        return rows


@dataclass
class MortalToolbox:
    """The way to the world, in one life. `after` happens once, when an effect took place and nobody has noted it."""

    toolbox: Any
    life: Life
    after: Callable[[], None] | None = None

    def run(self, invocation: Any, **watch: Any) -> Any:
        """Run an invocation between two boundaries."""
        self.life.reach()
        outcome = self.toolbox.run(invocation, **watch)
        self.life.reach()
        if self.after is not None and invocation.mode is Mode.RUN and invocation.action != "look":
            happens, self.after = self.after, None
            happens()
        return outcome


@dataclass(frozen=True)
class MortalApp(App):
    """The application as one worker has it."""

    life: Life = field(default_factory=Life)

    def begin(self, call: Call) -> Work:
        """Open a unit of work, unless the worker is dead."""
        self.life.reach()
        return super().begin(call)


def in_one_life(app: App, life: Life, after: Callable[[], None] | None = None) -> MortalApp:
    """Return the application for one worker, which shares nothing with others but the database and the world."""
    parts = {name: getattr(app, name) for name in App.__dataclass_fields__}
    parts["toolbox"] = MortalToolbox(app.toolbox, life, after)
    parts["journal"] = PostgresJournal(MortalDirect(app.journal.direct, life))  # type: ignore[arg-type]
    return MortalApp(**parts, life=life)
