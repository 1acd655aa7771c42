"""What one client is told in one look at the log. One thread at a time tells it, so its messages are in order."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from carapulse.identity.errors import TokenExpired
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem, Unavailable
from carapulse.live.errors import ConnectionBusy, ConnectionGone, EventTooLarge, KeyRotated
from carapulse.live.feed import KEY_ROTATED, TOKEN_EXPIRED, Item, Pace
from carapulse.live.held import Held
from carapulse.live.model import Beat, Frame, Over, Stretch
from carapulse.live.ports import Gateway, Tail
from carapulse.live.speaking import text_of
from carapulse.observe import get_logger

_COMING_S = 10.0  # that a gateway may take between asking whether it lets a client in and doing so
_IN_A_LOOK = 50  # events that one client gets before others have their turn

log = get_logger(__name__)


class TurnOver(Exception):  # noqa: N818 - not an error of anybody
    """Somebody else may tell clients from now on."""


@dataclass
class Look:
    """One look at the log: up to where it is complete, and what was read of it, once for all who are there."""

    tail: Tail
    settled: int
    at: datetime
    trace: str
    until: float
    """The moment of the monotonic clock after which nobody may be told anything in this look."""
    _read: dict[tuple[str, int], Stretch] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def page(self, tenant: str, after: int) -> Stretch:
        """Return a tenant's first events after a place."""
        with self._lock:
            if (tenant, after) not in self._read:
                self._read[tenant, after] = self.tail.page(tenant, after, self.settled)
            return self._read[tenant, after]


@dataclass
class Telling:
    """One client, while it is told."""

    held: Held
    look: Look
    gateway: Gateway
    pace: Pace

    def run(self) -> Held | None:
        """Tell the client what is new; return what is true of it then, or None if that was the last."""
        try:
            return self._tell()
        except ConnectionGone:
            return self.held if self._may_still_come() else None
        except ConnectionBusy:
            return self._changed(refused_at=self.held.refused_at or self.look.at)
        except TurnOver:
            return self.held
        except Unavailable as problem:
            log.warning("client_not_told", connection=self.held.id, code=problem.code, detail=problem.detail)
            return self.held
        except Problem as problem:
            return self._end(Over(problem.code, problem.detail, self._place))

    @property
    def _place(self) -> int:
        """Where the client is; one that was told nothing yet begins where the log is."""
        return self.look.settled if self.held.told is None else self.held.told

    def _tell(self) -> Held | None:
        ending = self.held.over(self.look.at, self.pace)
        if ending is not None:
            return self._end(Over(ending.code, ending.detail, self._place))
        if self.held.opened < self.held.turn:
            self._begin_turn()
        if self.held.pongs < self.held.pings:
            self._say(Beat(self._place, "pong"), pongs=self.held.pings)
        self._go_on()
        if (self.look.at - self.held.spoke_at).total_seconds() >= self.pace.heartbeat:
            self._say(Beat(self._place))
        return self.held

    def _begin_turn(self) -> None:
        since = self._place if self.held.since is None else self.held.since
        self.look.tail.check(self.held.principal.tenant, since)
        self._say(Beat(since, "open"), told=since, opened=self.held.turn)

    def _go_on(self) -> None:
        """Send what comes next, but not so much that others wait for long."""
        if self._place >= self.look.settled:
            return
        stretch = self.look.page(self.held.principal.tenant, self._place)
        match stretch.end_of(self.held.principal):
            case "revoked":
                raise TokenExpired(TOKEN_EXPIRED.detail)
            case "rotated":
                raise KeyRotated(KEY_ROTATED.detail)
            case None:
                pass
        wish = self.held.wish(self._call())
        wanted = [frame for frame in stretch.frames if wish.takes(frame)]
        for frame in wanted[:_IN_A_LOOK]:
            self._send(frame)
        if len(wanted) <= _IN_A_LOOK:
            self._changed(told=stretch.reached)

    def _send(self, frame: Frame) -> None:
        try:
            self._say(frame, told=frame.position)
        except EventTooLarge:
            self._changed(told=frame.position)  # whoever comes back after it would otherwise never get beyond
            raise

    def _say(self, item: Item, **done: int) -> None:
        if time.monotonic() >= self.look.until:
            raise TurnOver
        self.gateway.say(self.held.id, text_of(item))
        self._changed(spoke_at=self.look.at, refused_at=None, **done)

    def _end(self, over: Over) -> Held | None:
        """Tell the client why it is over, if it can still be told, and let the gateway close its socket."""
        try:
            self._say_last(over)
            self.gateway.drop(self.held.id)
        except ConnectionGone:
            return None
        except Unavailable as problem:
            log.warning("client_not_closed", connection=self.held.id, code=problem.code, detail=problem.detail)
            return self.held
        return None

    def _say_last(self, over: Over) -> None:
        try:
            self.gateway.say(self.held.id, text_of(over))
        except ConnectionBusy:
            log.info("client_does_not_read", connection=self.held.id)

    def _changed(self, **what: datetime | int | None) -> Held:
        self.held = self.held.model_copy(update=what)
        return self.held

    def _call(self) -> Call:
        return self.held.call(self.look.at, self.look.trace)

    def _may_still_come(self) -> bool:
        """Say whether the gateway may not have let the client in yet: it asks first, and what is kept is seen here."""
        return not self.held.opened and (self.look.at - self.held.opened_at).total_seconds() < _COMING_S
