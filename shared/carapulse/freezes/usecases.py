"""What can be asked of freezes and windows. One function is one thing that an operator can ask for."""

from carapulse.freezes.errors import RuleNameTaken
from carapulse.freezes.events import (
    FreezeChanged,
    FreezeDeclared,
    FreezeLifted,
    WindowChanged,
    WindowDeclared,
    WindowLifted,
)
from carapulse.freezes.model import Freeze, FreezeTerms
from carapulse.freezes.ports import FreezeFilter, FreezePorts, Freezes, WindowFilter, Windows
from carapulse.freezes.windows import Window, WindowTerms
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.names import Line
from carapulse.kernel.patch import MergePatch, patched
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.kernel.record import Record


class Lift(Record):
    """Say that a freeze or a window holds no more, and why."""

    reason: Line


def declare_freeze(terms: FreezeTerms, call: Call, ports: FreezePorts) -> Freeze:
    """Forbid changes. What is under way may finish the step that it is at, and undo what it did; nothing else."""
    freeze = Freeze.of(terms, call)
    with ports.begin(call) as work:
        _must_be_free(terms.name, None, work.freezes)
        work.freezes.add(freeze)
        work.record(freeze.id, FreezeDeclared.of(freeze))
    return freeze


def list_freezes(wanted: FreezeFilter, call: Call, ports: FreezePorts) -> Page[Freeze]:
    """Return freezes, the newest first."""
    with ports.begin(call) as work:
        return work.freezes.page(wanted)


def get_freeze(freeze_id: str, call: Call, ports: FreezePorts) -> Freeze:
    """Return one freeze, also one that was lifted."""
    with ports.begin(call) as work:
        return work.freezes.get(freeze_id)


def change_freeze(freeze_id: str, patch: MergePatch, call: Call, ports: FreezePorts, seen: Match = WHICHEVER) -> Freeze:
    """Change a freeze that is not over."""
    with ports.begin(call) as work:
        freeze = work.freezes.lock(freeze_id)
        seen.check(freeze)
        changed = freeze.changed(patched(freeze.terms, patch), call)
        _must_be_free(changed.name, freeze_id, work.freezes)
        work.freezes.replace(changed)
        work.record(freeze_id, FreezeChanged.of(changed))
    return changed


def lift_freeze(freeze_id: str, command: Lift, call: Call, ports: FreezePorts, seen: Match = WHICHEVER) -> None:
    """Let a freeze hold no more. It stays on record."""
    with ports.begin(call) as work:
        freeze = work.freezes.lock(freeze_id)
        seen.check(freeze)
        work.freezes.replace(freeze.lifted(command.reason, call))
        work.record(freeze_id, FreezeLifted(freeze_id=freeze_id, name=freeze.name, because=command.reason))


def declare_window(terms: WindowTerms, call: Call, ports: FreezePorts) -> Window:
    """Allow changes in these hours, and in those of the environments' other windows, alone."""
    window = Window.of(terms, call)
    with ports.begin(call) as work:
        _must_be_free(terms.name, None, work.windows)
        work.windows.add(window)
        work.record(window.id, WindowDeclared.of(window))
    return window


def list_windows(wanted: WindowFilter, call: Call, ports: FreezePorts) -> Page[Window]:
    """Return windows, the newest first."""
    with ports.begin(call) as work:
        return work.windows.page(wanted)


def get_window(window_id: str, call: Call, ports: FreezePorts) -> Window:
    """Return one window, also one that was lifted."""
    with ports.begin(call) as work:
        return work.windows.get(window_id)


def change_window(window_id: str, patch: MergePatch, call: Call, ports: FreezePorts, seen: Match = WHICHEVER) -> Window:
    """Change a window that was not lifted."""
    with ports.begin(call) as work:
        window = work.windows.lock(window_id)
        seen.check(window)
        changed = window.changed(patched(window.terms, patch), call)
        _must_be_free(changed.name, window_id, work.windows)
        work.windows.replace(changed)
        work.record(window_id, WindowChanged.of(changed))
    return changed


def lift_window(window_id: str, command: Lift, call: Call, ports: FreezePorts, seen: Match = WHICHEVER) -> None:
    """Let a window be there no more. It stays on record."""
    with ports.begin(call) as work:
        window = work.windows.lock(window_id)
        seen.check(window)
        work.windows.replace(window.lifted(command.reason, call))
        work.record(window_id, WindowLifted(window_id=window_id, name=window.name, because=command.reason))


def _must_be_free(name: str, own: str | None, kept: Freezes | Windows) -> None:
    other = kept.id_of(name)
    if other not in {None, own}:
        raise RuleNameTaken("another one that was not lifted has this name", name=name, id=other)
