"""A feed in the two forms in which clients get it. Both carry the same CloudEvents and the same last words."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from carapulse.identity.model import Principal
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.live.feed import Ending, Feed, Item
from carapulse.live.hub import Hub
from carapulse.live.model import Ask, Frame, Over, Seat, Wish
from carapulse.live.speaking import Ping, Subscribe, read_message, text_of
from carapulse.pushing import Close

CLOSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "overflow": 1013,  # try again later
        "stopping": 1001,  # going away
        "time-is-up": 1001,
        "key-rotated": 1001,
        "failed": 1011,  # our fault
        "unavailable": 1011,
    }
)
"""How a WebSocket is closed (RFC 6455, 7.4) that ends with a code."""

REFUSED: Final = 1008
"""How it is closed for any other: the client may not go on like this."""


@dataclass(frozen=True, slots=True)
class ServerSentEvents:
    """A feed as server-sent events. Signs of life move the id on, so that coming back is never far."""

    feed: Feed

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """Yield what happens."""
        async with aclosing(self.feed.items()) as items:
            async for item in items:
                yield _part(item).encode()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A feed over a WebSocket, which the client may turn to other events."""

    feed: Feed
    call: Call

    async def said(self) -> AsyncGenerator[str | Close, None]:
        """Yield what happens, and how it ends."""
        async with aclosing(self.feed.items()) as items:
            async for item in items:
                yield text_of(item)
                if isinstance(item, Over):
                    yield Close(CLOSES.get(item.code, REFUSED), item.code)

    def hear(self, message: str | None) -> None:
        """Turn to what the client wants, or end the conversation when it may not want that."""
        try:
            self._obey(read_message(message))
        except Problem as problem:
            self.feed.end(Ending(problem.code, problem.detail))

    def _obey(self, message: Subscribe | Ping) -> None:
        if isinstance(message, Ping):
            self.feed.answer()
        else:
            self.feed.turn(Wish.of(message, self.call), message.after)


@asynccontextmanager
async def follow(ask: Ask, call: Call, principal: Principal, hub: Hub) -> AsyncIterator[ServerSentEvents]:
    """Be a client of the hub for as long as the context lasts."""
    async with hub.joined(_seat(ask, call, principal)) as feed:
        yield ServerSentEvents(feed)


@asynccontextmanager
async def converse_about(ask: Ask, call: Call, principal: Principal, hub: Hub) -> AsyncIterator[Conversation]:
    """Be a client of the hub that talks back, for as long as the context lasts."""
    async with hub.joined(_seat(ask, call, principal)) as feed:
        yield Conversation(feed, call)


def _seat(ask: Ask, call: Call, principal: Principal) -> Seat:
    """No stream outlives the proof that opened it."""
    left = max(0.0, principal.expires_at - call.at.timestamp())
    return Seat(call.tenant, Wish.of(ask, call), ask.after, left, principal)


def _part(item: Item) -> str:
    if isinstance(item, Frame):
        return f"id: {item.position}\ndata: {item.json}\n\n"
    if isinstance(item, Over):
        return f"event: {item.code}\nid: {item.position}\ndata: {text_of(item)}\n\n"
    # Without data nothing is dispatched, and the client remembers the id all the same.
    return f": {item.kind}\nid: {item.position}\n\n"
