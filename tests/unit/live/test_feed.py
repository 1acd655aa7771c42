"""One client's part of the log, beside a hub that moves on at any moment."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from carapulse.live.feed import Feed, Pace
from carapulse.live.model import Frame, Seat, Stretch, Wish

ALL = Wish(frozenset({"PlanClosed"}), sees_unknown=False, subject=None)
MOST = 3


class Log:
    """A settled log of one tenant in memory, and a hub that is somewhere in it."""

    def __init__(self, at):
        self.at = at
        self.newest = at
        self.feeds = set()

    def attach(self, feed):
        self.feeds.add(feed)

    def detach(self, feed):
        self.feeds.discard(feed)

    async def check(self, after):
        pass

    async def page(self, after):
        until = self.at
        await asyncio.sleep(0)  # the hub may move on
        return self.stretch(after, until)

    def stretch(self, after, until):
        reached = min(after + MOST, until)
        return Stretch(tuple(Frame(n, "PlanClosed", "plan_1", "{}") for n in range(after + 1, reached + 1)), reached)

    def move(self, by):
        self.newest += by
        while self.at < self.newest:
            stretch = self.stretch(self.at, self.newest)
            for feed in list(self.feeds):
                feed.offer(stretch)
            self.at = stretch.reached


def a_feed(log, after, **pace):
    return Feed(log, Seat("acme", ALL, after, 60.0), Pace(**pace), after)


async def read(feed, count):
    seen = []
    async for item in feed.items():
        if isinstance(item, Frame):
            seen.append(item.position)
        if len(seen) == count:
            break
    return seen


@given(st.integers(0, 12), st.integers(0, 12), st.lists(st.integers(0, 5), max_size=12))
def test_every_event_comes_once_wherever_client_and_hub_begin_and_however_the_hub_moves(after, at, moves):
    async def follow():
        log = Log(at)
        expected = list(range(after + 1, at + sum(moves) + 20))
        reading = asyncio.ensure_future(read(a_feed(log, after, heartbeat=60), len(expected)))
        for by in [*moves, 19]:
            await asyncio.sleep(0)
            log.move(by)
        return expected, await asyncio.wait_for(reading, 5)

    expected, seen = asyncio.run(follow())

    assert seen == expected


def test_a_client_that_does_not_keep_up_is_heard_no_more_and_loses_nothing_it_was_promised():
    async def follow():
        log = Log(0)
        feed = a_feed(log, 0, heartbeat=60, queue=4)
        items = feed.items()
        await anext(items)
        first = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        log.move(20)
        return [await first, *[item async for item in items]], log.feeds

    (*frames, last), feeds = asyncio.run(follow())

    assert [frame.position for frame in frames] == list(range(1, len(frames) + 1))
    assert (last.code, last.position) == ("overflow", len(frames))
    assert not feeds
