"""One client's part of the log: first what it missed, read in pages, then what the hub hears, without gap or double."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from anyio import Event, move_on_after

from carapulse.kernel.errors import Problem
from carapulse.live.model import Beat, Frame, Over, Seat, Stretch, Wish


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream is over."""

    code: str
    detail: str


OVERFLOW = Ending("overflow", "you read more slowly than events happen; come back")
TOKEN_EXPIRED = Ending("token-expired", "what you proved yourself with has expired, or was revoked")
KEY_ROTATED = Ending(
    "key-rotated",
    "the key that you proved yourself with was given a successor; come back with that, or with it while it holds",
)
TIME_IS_UP = Ending("time-is-up", "a stream lasts no longer; come back")
STOPPING = Ending("stopping", "the program stops; come back")
FAILED = Ending("failed", "something went wrong on our side; come back")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks at the log, between signs of life, that a stream lasts, and that a reader may hang."""

    poll: float = 0.2
    heartbeat: float = 15.0
    longest: float = 3600.0
    patience: float = 20.0
    queue: int = 500


class Source(Protocol):
    """What the hub keeps for one tenant: how far it has read, and who hears it."""

    @property
    def at(self) -> int:
        """The place up to which everybody who listens was told."""
        ...

    def attach(self, feed: "Feed") -> None:
        """Tell a feed of what comes next."""
        ...

    def detach(self, feed: "Feed") -> None:
        """Tell it no more."""
        ...

    async def check(self, after: int) -> None:
        """Return if a client can go on after a place; raises EventsGone or PositionUnknown."""
        ...

    async def page(self, after: int) -> Stretch:
        """Return what comes after a place, not beyond where the hub is."""
        ...


@dataclass(frozen=True, slots=True)
class _Turn:
    wish: Wish
    after: int | None


Item = Frame | Beat | Over


@dataclass(eq=False)
class Feed:
    """What one client gets, in order. Only the event loop touches it."""

    source: Source
    seat: Seat
    pace: Pace
    position: int
    ending: Ending | None = None
    _wish: Wish = field(init=False)
    _queue: deque[Frame] = field(default_factory=deque)
    _reached: int = 0
    _turn: _Turn | None = None
    _is_attached: bool = False
    _is_overflowed: bool = False
    _is_asked: bool = False
    _wake: Event = field(default_factory=Event)
    _began: float = field(default_factory=time.monotonic)
    _spoke: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._wish = self.seat.wish

    async def items(self) -> AsyncGenerator[Item, None]:
        """Yield what happens, signs of life, and at last why it is over."""
        yield Beat(self.position, "open")
        try:
            while (ending := self._is_over()) is None:
                for item in await self._next():
                    self._spoke = time.monotonic()
                    yield item
        except Problem as problem:
            yield Over(problem.code, problem.detail, self.position)
        else:
            yield Over(ending.code, ending.detail, self.position)
        finally:
            self.source.detach(self)

    def offer(self, stretch: Stretch) -> None:
        """Take what the hub has read; a client that does not keep up is told no more."""
        for frame in stretch.frames:
            if frame.position > self._reached and self._wish.takes(frame):
                self._queue.append(frame)
        self._reached = max(self._reached, stretch.reached)
        self._heed(stretch)
        if len(self._queue) > self.pace.queue:
            # What is beyond the bound goes again; the client finds it when it comes back.
            while len(self._queue) > self.pace.queue:
                self._queue.pop()
            self._is_overflowed = True
            self.source.detach(self)
        if self._queue:
            self._wake.set()

    def turn(self, wish: Wish, after: int | None) -> None:
        """Go on with other events, or from another place."""
        self._turn = _Turn(wish, after)
        self._wake.set()

    def answer(self) -> None:
        """Say where the client is, before anything else."""
        self._is_asked = True
        self._wake.set()

    def end(self, ending: Ending) -> None:
        """Let the client be told that it is over."""
        self.ending = self.ending or ending
        self._wake.set()

    def _is_over(self) -> Ending | None:
        if self.ending is not None:
            return self.ending
        lasted = time.monotonic() - self._began
        if lasted >= self.seat.seconds:
            return TOKEN_EXPIRED
        if lasted >= self.pace.longest:
            return TIME_IS_UP
        return OVERFLOW if self._is_overflowed and not self._queue else None

    async def _next(self) -> Iterable[Item]:
        """Return what comes next; nothing if one has to look again."""
        if self._turn is not None:
            return [await self._begin_anew(self._turn)]
        if self._is_asked:
            self._is_asked = False
            return [Beat(self.position, "pong")]
        if self._queue:
            frame = self._queue.popleft()
            self.position = frame.position
            return [frame]
        self.position = max(self.position, self._reached)
        if self._is_attached:
            return await self._wait()
        if self.position < self.source.at:
            await self._catch_up()
        else:
            # Nothing may be awaited between the comparison and this: the hub would move on.
            self._reached, self._is_attached = self.position, True
            self.source.attach(self)
        return []

    async def _begin_anew(self, turn: _Turn) -> Item:
        self._turn, self._is_attached = None, False
        self.source.detach(self)
        self._queue.clear()
        if turn.after is not None:
            await self.source.check(turn.after)
            self.position = turn.after
        self._reached, self._wish = self.position, turn.wish
        return Beat(self.position, "open")

    async def _catch_up(self) -> None:
        stretch = await self.source.page(self.position)
        self._queue.extend(frame for frame in stretch.frames if self._wish.takes(frame))
        self._reached = stretch.reached
        self._heed(stretch)

    def _heed(self, stretch: Stretch) -> None:
        end = stretch.end_of(self.seat.principal)
        if end is not None:
            self.end(TOKEN_EXPIRED if end == "revoked" else KEY_ROTATED)

    async def _wait(self) -> Iterable[Item]:
        now = time.monotonic()
        quiet_until = self._spoke + self.pace.heartbeat
        until = min(quiet_until, self._began + min(self.seat.seconds, self.pace.longest))
        self._wake = Event()
        with move_on_after(max(0.0, until - now)):
            await self._wake.wait()
        if self._queue or time.monotonic() < quiet_until:
            return []
        self.position = max(self.position, self._reached)
        return [Beat(self.position)]
