"""How the demo looks to whoever watches: chapters, pictures, and each claim with what was seen."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from carapulse.surfaces.cli.views.executions import changes_between, execution_view
from carapulse.surfaces.cli.views.text import plain
from carapulse.surfaces.demo.claims import Claim

_LONGEST = 300


class Shows(Protocol):
    """Shows how an execution stands, each time it is looked at."""

    def __call__(self, execution: Mapping[str, Any], aside: str) -> None:
        """Show one look at it, and a remark."""
        ...


class Stage:
    """Tells the story on a terminal; where there is none, line by line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, number: int, name: str) -> None:
        """Begin a part of the story."""
        self._console.print()
        self._console.print(Rule(Text(f" {number}  {name} ", style="bold"), align="left", style="blue"))

    def claim(self, claim: Claim) -> None:
        """Show what was claimed, whether it held, and what was seen."""
        mark = ("  ✔ ", "bold green") if claim.held else ("  ✘ ", "bold red")
        seen = plain(claim.seen)
        shown = seen if len(seen) <= _LONGEST else f"{seen[:_LONGEST]}…"
        self._console.print(Text.assemble(mark, claim.claim, ("  ", ""), (shown, "dim")))

    def say(self, words: str) -> None:
        """Tell what happens."""
        self._console.print(Text(f"  {words}"))

    def show(self, picture: RenderableType) -> None:
        """Show a picture."""
        self._console.print(Padding(picture, (1, 0, 1, 2)))

    def end(self, made: Sequence[Claim], document: Mapping[str, Any]) -> None:
        """Say how it went."""
        held = sum(claim.held for claim in made)
        broken = next((claim.claim for claim in made if not claim.held), document.get("error"))
        style, words = ("green", "Everything held") if document["ok"] else ("red", f"It did not hold: {broken}")
        counted = f"{held} of {len(made)} claims held"
        took = (
            f", in {document['seconds']:.1f} s after {document['set_up_seconds']:.1f} s of set-up"
            if document["ok"]
            else ""
        )
        said = Text.assemble((words, f"bold {style}"), f"\n{counted}{took}.")
        self.show(Panel(said, border_style=style, expand=False))

    @contextmanager
    def following(self) -> Iterator[Shows]:
        """Show an execution while it runs: one picture that changes, or a line for each change."""
        if not self._console.is_terminal:
            yield self._lines()
            return
        with Live(console=self._console, auto_refresh=False) as live:
            yield lambda execution, aside: live.update(
                Padding(Group(execution_view(execution), Text(f"  {aside}", style="dim")), (1, 0, 1, 2)), refresh=True
            )

    def _lines(self) -> Shows:
        former: Mapping[str, Any] = {}

        def show(execution: Mapping[str, Any], aside: str) -> None:
            nonlocal former
            lines = changes_between(former, execution)
            former = execution
            for number, line in enumerate(lines):
                self._console.print(Text(f"    {line}" + (f"   ({aside})" if number == len(lines) - 1 else "")))

        return show


def quiet() -> Console:
    """Return a console that shows nothing, for when a program is listening."""
    return Console(quiet=True)
