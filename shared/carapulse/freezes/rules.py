"""The freezes and windows of a tenant, and what they say about a place at a moment. Policy decides what that means."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from carapulse.freezes.model import Freeze
from carapulse.freezes.windows import Window
from carapulse.kernel.context import Context
from carapulse.kernel.record import Record
from carapulse.policy.document import Standing

FRESH_S = 2
_MOST = 4096


class Rules(Record):
    """What a tenant has declared and not lifted."""

    freezes: tuple[Freeze, ...] = ()
    windows: tuple[Window, ...] = ()

    def standing(self, context: Context, at: datetime) -> Standing:
        """Return what holds in a place at a moment."""
        windows = [each for each in self.windows if each.is_about(context.environment)]
        return Standing(
            freezes=tuple(each.now for each in self.freezes if each.holds(context, at)),
            closed_window=bool(windows) and not any(each.is_open(at) for each in windows),
        )


class Calendar(Protocol):
    """Knows what every tenant has declared."""

    def rules(self, tenant: str, at: datetime) -> Rules:
        """Return what a tenant has declared that is not lifted, and whose time at a moment is not over."""
        ...


@dataclass
class RecentRules:
    """What tenants had declared a moment ago. Nobody is asked twice within FRESH_S seconds; no change waits longer."""

    _kept: OrderedDict[str, tuple[datetime, Rules]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, tenant: str, second: datetime, calendar: Calendar) -> Rules:
        """Return what a tenant had declared at this second, or less than FRESH_S seconds before."""
        with self._lock:
            kept = self._kept.get(tenant)
        if kept is not None and timedelta() <= second - kept[0] < timedelta(seconds=FRESH_S):
            return kept[1]
        rules = calendar.rules(tenant, second)
        with self._lock:
            self._kept[tenant] = (second, rules)
            self._kept.move_to_end(tenant)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return rules
