"""What happens to freezes and windows. Each is a fact in the stream named as its id, and says all that holds."""

from typing import Any, Self

from carapulse.freezes.model import Freeze
from carapulse.freezes.windows import Window
from carapulse.kernel.event import Event


class _FreezeStands(Event):
    freeze_id: str
    terms: dict[str, Any]

    @classmethod
    def of(cls, freeze: Freeze) -> Self:
        """Return the fact about this freeze."""
        return cls(freeze_id=freeze.id, terms=freeze.terms.model_dump(mode="json"))


class FreezeDeclared(_FreezeStands):
    """Somebody forbids changes."""


class FreezeChanged(_FreezeStands):
    """A freeze forbids something else, or for another time."""


class FreezeLifted(Event):
    """A freeze forbids nothing any more."""

    freeze_id: str
    name: str
    because: str


class _WindowStands(Event):
    window_id: str
    terms: dict[str, Any]

    @classmethod
    def of(cls, window: Window) -> Self:
        """Return the fact about this window."""
        return cls(window_id=window.id, terms=window.terms.model_dump(mode="json"))


class WindowDeclared(_WindowStands):
    """Environments may be changed in these hours, and in those of their other windows, alone."""


class WindowChanged(_WindowStands):
    """A window is open at other hours, or somewhere else."""


class WindowLifted(Event):
    """A window is there no more; an environment whose last it was may be changed at any hour."""

    window_id: str
    name: str
    because: str
