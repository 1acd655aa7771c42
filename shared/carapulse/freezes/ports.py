"""What freezes and windows ask of the application."""

from typing import Protocol

from carapulse.freezes.model import Freeze
from carapulse.freezes.windows import Window
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.moment import Moment
from carapulse.kernel.spelling import Flag
from carapulse.kernel.work import Work


class FreezeFilter(Wanted):
    """Which freezes are wanted, and which page of them."""

    active_at: Moment | None = None
    lifted: Flag | None = None


class WindowFilter(Wanted):
    """Which windows are wanted, and which page of them."""

    lifted: Flag | None = None


class Freezes(Protocol):
    """Where freezes are kept. Every call is within one tenant and one transaction."""

    def get(self, freeze_id: str) -> Freeze:
        """Return the freeze, or raise FreezeNotFound."""
        ...

    def lock(self, freeze_id: str) -> Freeze:
        """Return the freeze and keep everybody else from changing it until the transaction ends."""
        ...

    def id_of(self, name: str) -> str | None:
        """Return the id of the freeze of that name that was not lifted, or None."""
        ...

    def add(self, freeze: Freeze) -> None:
        """Keep a new freeze."""
        ...

    def replace(self, freeze: Freeze) -> None:
        """Keep the freeze as it now is."""
        ...

    def page(self, wanted: FreezeFilter) -> Page[Freeze]:
        """Return freezes, the newest first."""
        ...


class Windows(Protocol):
    """Where windows are kept. Every call is within one tenant and one transaction."""

    def get(self, window_id: str) -> Window:
        """Return the window, or raise WindowNotFound."""
        ...

    def lock(self, window_id: str) -> Window:
        """Return the window and keep everybody else from changing it until the transaction ends."""
        ...

    def id_of(self, name: str) -> str | None:
        """Return the id of the window of that name that was not lifted, or None."""
        ...

    def add(self, window: Window) -> None:
        """Keep a new window."""
        ...

    def replace(self, window: Window) -> None:
        """Keep the window as it now is."""
        ...

    def page(self, wanted: WindowFilter) -> Page[Window]:
        """Return windows, the newest first."""
        ...


class FreezeWork(Work, Protocol):
    """A unit of work that can reach freezes and windows."""

    @property
    def freezes(self) -> Freezes:
        """The freezes within this unit."""
        ...

    @property
    def windows(self) -> Windows:
        """The windows within this unit."""
        ...


class FreezePorts(Protocol):
    """Everything this area asks of the application."""

    def begin(self, call: Call) -> FreezeWork:
        """Open a unit of work for the caller's tenant."""
        ...
