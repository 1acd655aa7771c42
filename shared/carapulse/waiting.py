"""`Prefer: wait=n` (RFC 7240, 4.3): an answer that comes when something is over, and holds no thread meanwhile.

A preference that is malformed, or that can't be kept because too many wait already, is ignored as the RFC says; what
was kept is named in `Preference-Applied`.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import Depends, Header, Request, Response

from carapulse.metrics import Level

T = TypeVar("T")

LONGEST_S: Final = 30
_MOST_AT_ONCE: Final = 200
_FIRST_PAUSE_S: Final = 0.1
_PAUSE_S: Final = 0.25
_DIGITS: Final = 9

_WAITING = Level("carapulse_waiting_requests", "Requests that wait for something to be over")


@dataclass(slots=True)
class Waits:
    """How many requests of this process wait. Only its event loop touches it."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the caller of one request waits, if at all."""

    seconds: int | None
    request: Request
    response: Response

    async def until(self, is_over: Callable[[T], bool], read: Callable[[], T], first: T) -> T:
        """Return what is read once it is over, or as it is when the caller's patience or the program's life ends."""
        waits: Waits = self.request.app.state.waits
        if self.seconds is None or waits.now >= _MOST_AT_ONCE:
            return first
        self.response.headers["Preference-Applied"] = f"wait={self.seconds}"
        waits.now += 1
        _WAITING.change(1)
        try:
            return await self._poll(is_over, read, first)
        finally:
            waits.now -= 1
            _WAITING.change(-1)

    async def _poll(self, is_over: Callable[[T], bool], read: Callable[[], T], found: T) -> T:
        ends, pause = time.monotonic() + (self.seconds or 0), _FIRST_PAUSE_S
        stopping: threading.Event = self.request.app.state.app.stopping
        while not is_over(found) and (left := ends - time.monotonic()) > 0 and not stopping.is_set():
            if await self.request.is_disconnected():
                break
            await sleep(min(pause, left))
            found, pause = await run_sync(read), min(_PAUSE_S, pause * 1.5)
        return found


def wait_of(preferences: Iterable[str]) -> int | None:
    """Return the seconds that `Prefer` headers ask for, at most thirty; None if they ask for none, or not properly."""
    for each in ",".join(preferences).split(","):
        name, _, value = each.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            digits = value.strip().strip('"')
            is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS
            return min(int(digits), LONGEST_S) if is_number else None
    return None


async def patience_of(
    request: Request,
    response: Response,
    _prefer: Annotated[
        str | None, Header(alias="Prefer", description="`wait=n`: answer when it is over, or in n seconds, 30 at most")
    ] = None,
) -> Patience:
    """Return the patience of the caller."""
    return Patience(wait_of(request.headers.getlist("prefer")), request, response)


Waiting = Annotated[Patience, Depends(patience_of)]
"""The caller's patience, as an argument of a route that is `async`."""
