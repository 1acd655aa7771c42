"""Whoever tells clients whose sockets a gateway holds: one at a time in an installation, and only while there are some.

It does for them what the hub of a process does for its own. What was told is kept after each look; whoever comes next
goes on from there.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from carapulse.kernel.errors import Unavailable
from carapulse.kernel.ids import new_id
from carapulse.live.feed import Pace
from carapulse.live.held import Held
from carapulse.live.ports import HeldPorts
from carapulse.live.telling import Look, Telling
from carapulse.observe import get_logger
from carapulse.tracing import Trace

EACH_SECOND: Final = Pace(poll=1.0)
_AT_ONCE: Final = 16  # clients that are told at once
_TURN_S: Final = 30.0
_SPEAKING_S: Final = 15.0  # of a turn; the rest is for the last message that is on its way, and to keep what was told

log = get_logger(__name__)


@dataclass
class Pusher:
    """Takes turns at telling all clients of the installation."""

    ports: HeldPorts
    pace: Pace = EACH_SECOND
    name: str = field(default_factory=lambda: new_id("pusher"))
    _reached: dict[str, int] = field(default_factory=dict)
    """How far the log was looked through for those who got nothing of it. Not worth writing down."""
    _held_at: float = 0.0
    _is_catching_up: bool = False

    def run(self, seconds: float) -> None:
        """Tell clients for that long, or until there are none; while somebody else does, stand by."""
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            while time.monotonic() < until:
                if self.look_once(threads):
                    return
                if not self._is_catching_up:
                    time.sleep(self.pace.poll)
        self.ports.connection_book.leave(self.name, None)

    def look_once(self, threads: ThreadPoolExecutor) -> bool:
        """Look once; return whether there is nobody to be told."""
        began, self._is_catching_up = time.monotonic(), False
        try:
            wanted = self._hold(began)
            if wanted is None:
                return False
            clients, unreadable = self.ports.connection_book.all()
            if not clients and not unreadable:
                return self.ports.connection_book.leave(self.name, wanted)
            self._look(self._overlaid(clients), began + _SPEAKING_S, threads)
            for connection_id in unreadable:
                self.ports.gateway.drop(connection_id)  # which makes the gateway say that it has left
        except Unavailable as problem:
            log.warning("live_log_not_read", code=problem.code, detail=problem.detail)
        return False

    def _hold(self, now: float) -> int | None:
        """Take or keep the turn. Whoever had it in between has told clients what is not known here."""
        wanted = self.ports.connection_book.hold(self.name, _TURN_S)
        if wanted is None or now - self._held_at >= _TURN_S:
            self._reached = {}
        self._held_at = now
        return wanted

    def _look(self, clients: Sequence[Held], until: float, threads: ThreadPoolExecutor) -> None:
        settled = self.ports.tail.settled()
        if settled is None:
            return
        look = Look(self.ports.tail, settled, self.ports.clock.now(), Trace.begin().id, until)
        told = threads.map(lambda each: Telling(each, look, self.ports.gateway, self.pace).run(), clients)
        pairs = list(zip(clients, told, strict=True))
        stay = [each for _, each in pairs if each is not None]
        self._reached = {each.id: each.told for each in stay if each.told is not None}
        self._is_catching_up = any(_got_some_of_more(each, look) for each in stay)
        for _, of_tenant in groupby(sorted(pairs, key=_tenant), _tenant):
            self._keep(list(of_tenant), look)

    def _keep(self, pairs: Iterable[tuple[Held, Held | None]], look: Look) -> None:
        """Write down what clients of one tenant were told."""
        changed = [(before, after) for before, after in pairs if after is None or _was_told(before, after)]
        if not changed:
            return
        with self.ports.begin(changed[0][0].call(look.at, look.trace)) as work:
            for before, after in changed:
                if after is None:
                    work.connections.drop(before.id)
                else:
                    work.connections.note_told(after)

    def _overlaid(self, clients: Iterable[Held]) -> list[Held]:
        """Return clients as they are known here, those first that got nothing for the longest time."""
        known = [each.model_copy(update={"told": self._reached.get(each.id, each.told)}) for each in clients]
        return sorted(known, key=lambda each: each.spoke_at)


def _tenant(pair: tuple[Held, Held | None]) -> str:
    return pair[0].principal.tenant


def _got_some_of_more(held: Held, look: Look) -> bool:
    return held.spoke_at == look.at and held.refused_at is None and (held.told or 0) < look.settled


def _was_told(before: Held, after: Held) -> bool:
    """Say whether more has changed than how far the log was looked through."""
    return after.model_copy(update={"told": before.told}) != before
