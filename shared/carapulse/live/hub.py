"""One reader of the log for all clients of a process. Nobody has a thread of their own.

The reader is there while there are clients. It asks how far the log is complete; when that has moved, it reads what is
new once for each tenant that somebody follows, and hands it to everybody who follows that tenant.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from traceback import format_exception

from anyio import CapacityLimiter, Event, fail_after, sleep
from anyio.to_thread import run_sync

from carapulse.kernel.errors import Problem
from carapulse.live.errors import LogUnsettled, StreamsFull, TooManyStreams
from carapulse.live.feed import FAILED, STOPPING, Ending, Feed, Pace
from carapulse.live.model import Seat, Stretch
from carapulse.live.ports import Tail
from carapulse.metrics import Level
from carapulse.observe import get_logger

_CLIENTS = Level("carapulse_live_clients", "Clients that follow the log now")
_READERS = 4  # threads that look up what clients missed
_BEGIN_S = 10.0
_PAUSE_S = 1.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Room:
    """How many clients one process serves, all in all and of one tenant."""

    clients: int = 2000
    clients_of_tenant: int = 1000


@dataclass(eq=False)
class Channel:
    """One tenant's log as the hub reads it: how far, and for whom."""

    tenant: str
    run: "_Run"
    at: int
    feeds: set[Feed] = field(default_factory=set)

    def attach(self, feed: Feed) -> None:
        """Tell a feed of what comes next."""
        self.feeds.add(feed)

    def detach(self, feed: Feed) -> None:
        """Tell it no more."""
        self.feeds.discard(feed)

    async def check(self, after: int) -> None:
        """Return if a client can go on after a place; raises EventsGone or PositionUnknown."""
        await run_sync(self.run.tail.check, self.tenant, after, limiter=self.run.readers)

    async def page(self, after: int) -> Stretch:
        """Return what comes after a place, not beyond where the hub is."""
        return await run_sync(self.run.tail.page, self.tenant, after, self.at, limiter=self.run.readers)


@dataclass(eq=False)
class _Run:
    """The reader, from the first client to the last."""

    tail: Tail
    pace: Pace
    stopping: threading.Event
    channels: dict[str, Channel] = field(default_factory=dict)
    feeds: set[Feed] = field(default_factory=set)
    at: int = 0
    began: Event = field(default_factory=Event)
    readers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_READERS))
    own: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def begin(self) -> int:
        """Return how far the hub has read, once that is known; raises LogUnsettled."""
        try:
            with fail_after(_BEGIN_S):
                await self.began.wait()
        except TimeoutError as error:
            raise LogUnsettled("nobody can say yet up to where the log is complete") from error
        return self.at

    def channel(self, tenant: str, at: int) -> Channel:
        """Return a tenant's channel, which begins here if there is none."""
        return self.channels.setdefault(tenant, Channel(tenant, self, at))

    async def follow(self) -> None:
        """Read until nobody follows any more."""
        try:
            while not self.stopping.is_set():
                await self._look()
                await sleep(self.pace.poll)
        finally:
            self._end_all(STOPPING if self.stopping.is_set() else FAILED)

    async def _look(self) -> None:
        try:
            await self._advance(await run_sync(self.tail.settled, limiter=self.own))
        except Problem as problem:
            log.warning("live_log_not_read", code=problem.code, detail=problem.detail)
            await sleep(_PAUSE_S)

    async def _advance(self, settled: int | None) -> None:
        if settled is None:
            return
        for channel in list(self.channels.values()):
            while channel.at < settled:
                await self._hand_on(channel, settled)
        self.at = settled
        self.began.set()

    async def _hand_on(self, channel: Channel, settled: int) -> None:
        if not channel.feeds:
            channel.at = settled  # whoever is still catching up reads that for itself
            return
        read = partial(self.tail.page, channel.tenant, channel.at, settled)
        stretch = await run_sync(read, limiter=self.own)
        for feed in list(channel.feeds):
            feed.offer(stretch)
        channel.at = stretch.reached

    def _end_all(self, ending: Ending) -> None:
        for feed in self.feeds:
            feed.end(ending)


class Hub:
    """Where clients of all tenants come to follow the log. Only the event loop of the server may use it."""

    def __init__(
        self, tail: Tail, stopping: threading.Event, room: Room | None = None, pace: Pace | None = None
    ) -> None:
        self._tail = tail
        self._stopping = stopping
        self._room = room or Room()
        self.pace = pace or Pace()
        self._members: Counter[str] = Counter()
        self._run: _Run | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def joined(self, seat: Seat) -> AsyncIterator[Feed]:
        """Be one of those who follow, for as long as the context lasts.

        Raises StreamsFull or TooManyStreams where there is no room, LogUnsettled, EventsGone or PositionUnknown.
        """
        run = self._enter(seat.tenant)
        try:
            channel = run.channel(seat.tenant, await run.begin())
            if seat.after is not None:
                await channel.check(seat.after)
            feed = Feed(channel, seat, self.pace, channel.at if seat.after is None else seat.after)
            run.feeds.add(feed)
            try:
                yield feed
            finally:
                channel.detach(feed)
                run.feeds.discard(feed)
        finally:
            self._leave(run, seat.tenant)

    def _enter(self, tenant: str) -> _Run:
        if self._stopping.is_set() or self._members.total() >= self._room.clients:
            raise StreamsFull("no more clients can follow the log here")
        if self._members[tenant] >= self._room.clients_of_tenant:
            raise TooManyStreams("no more clients of the tenant can follow the log here")
        if self._run is None or self._task is None or self._task.done():
            self._run = _Run(self._tail, self.pace, self._stopping)
            # A context of its own: the reader belongs to no request.
            self._task = asyncio.get_running_loop().create_task(self._run.follow(), context=Context())
            self._task.add_done_callback(_say_how_it_ended)
        self._members[tenant] += 1
        _CLIENTS.change(1)
        return self._run

    def _leave(self, run: _Run, tenant: str) -> None:
        _CLIENTS.change(-1)
        self._members[tenant] -= 1
        if not self._members[tenant]:
            del self._members[tenant]
            run.channels.pop(tenant, None)
        if not self._members and self._task is not None:
            self._task.cancel()
            self._run = self._task = None


def _say_how_it_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("live_reader_failed", detail="".join(format_exception(error)))
