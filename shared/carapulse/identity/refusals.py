"""Refusals as events. A flood of them is one event a minute, which says how many were left out."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from carapulse.identity.events import AccessRefused
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Problem
from carapulse.kernel.record import Record
from carapulse.observe import get_logger

_QUIET = timedelta(minutes=1)
_MOST = 4096

log = get_logger(__name__)


class Refusal(Record):
    """What was refused to whom, and why."""

    call: Call
    reason: str
    permission: str | None
    method: str
    route: str | None

    @property
    def likeness(self) -> tuple[str | None, ...]:
        """What makes two refusals alike."""
        return (self.call.tenant, self.call.actor.id, self.permission, self.reason, self.method, self.route)


@dataclass(slots=True)
class _Seen:
    told_at: datetime
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class RefusalLog:
    """Knows which refusals this process has told the log of lately."""

    begin: Callable[[Call], AbstractContextManager[Any]]
    clock: Clock
    _seen: OrderedDict[tuple[str | None, ...], _Seen] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, refusal: Refusal) -> int | None:
        """Return how many like it were left out if this one is to be written, or None if it is left out itself."""
        now = self.clock.now()
        with self._lock:
            seen = self._seen.get(refusal.likeness)
            if seen is not None and now - seen.told_at < _QUIET:
                seen.left_out += 1
                return None
            self._keep(refusal, _Seen(now))
            return seen.left_out if seen else 0

    def write(self, refusal: Refusal, left_out: int) -> None:
        """Append the event. It blocks. Where nothing can be written, the next event counts this one as left out."""
        call = refusal.call
        event = AccessRefused(
            reason=refusal.reason,
            permission=refusal.permission,
            method=refusal.method,
            route=refusal.route,
            kind=call.actor.kind,
            left_out=left_out,
        )
        try:
            with self.begin(call) as work:
                work.record(f"refusals_{call.at:%Y%m%d}", event)
        except Problem as problem:
            self.miss(refusal, left_out + 1)
            log.warning("refusal_not_recorded", code=problem.code, detail=problem.detail, reason=refusal.reason)

    def miss(self, refusal: Refusal, count: int) -> None:
        """Count what could not be written."""
        with self._lock:
            seen = self._seen.get(refusal.likeness)
            if seen is None:
                seen = _Seen(self.clock.now())
                self._keep(refusal, seen)
            seen.left_out += count

    def _keep(self, refusal: Refusal, seen: _Seen) -> None:
        self._seen[refusal.likeness] = seen
        self._seen.move_to_end(refusal.likeness)
        while len(self._seen) > _MOST:
            _, forgotten = self._seen.popitem(last=False)
            if forgotten.left_out:
                log.warning("refusals_forgotten", left_out=forgotten.left_out)
