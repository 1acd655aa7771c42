"""Server-sent events (WHATWG HTML, 9.2) for routes that follow something while it grows.

The id of an event is its place in the source, so a client that comes back with `Last-Event-ID` misses nothing and sees
nothing twice. A stream that is over sends `end`; asked again, it answers 204, which tells a browser not to come back.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Annotated

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import Header, Request, Response
from fastapi.responses import StreamingResponse

from carapulse.identity.model import Principal
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Invalid
from carapulse.metrics import Level

_STREAMS = Level("carapulse_open_streams", "Streams of server-sent events that are open now")
_LONGEST_ID = 128

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=_LONGEST_ID)]
"""Where a client was when it lost the stream, as an argument of a route."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened: its place in the source, its kind, and JSON."""

    id: str
    kind: str
    data: object


@dataclass(frozen=True, slots=True)
class Page:
    """What the source holds after some id. `is_last` says that nothing will ever follow these rows."""

    rows: tuple[Row, ...]
    is_last: bool = False


Read = Callable[[str | None], Page]
"""Returns what follows an id, in order, at most a few hundred rows; None means from the beginning. It may block."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the source is asked, when silence is broken, and when a client must prove itself again; in seconds.

    Whoever has a key proves it anew sooner, because it may have been revoked.
    """

    poll: float = 0.5
    heartbeat: float = 15.0
    longest: float = 900.0
    longest_with_key: float = 60.0


@dataclass(slots=True)
class _Progress:
    after: str | None
    started: float = field(default_factory=time.monotonic)
    spoke: float = field(default_factory=time.monotonic)


async def stream(request: Request, read: Read, after: str | None = None, pace: Pace | None = None) -> Response:
    """Answer with everything after an id and then with what follows, until the source says that it is over.

    The first page is read before the answer starts, so that what can't be found or seen is still a plain problem.
    """
    if after is not None and not after.isprintable():
        raise Invalid("Last-Event-ID is not an id")
    first = await run_sync(read, after)
    if after is not None and first.is_last and not first.rows:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    body = _follow(request, read, first, _Progress(after), _until_proof_ends(request, pace or Pace()))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_counted(body), media_type="text/event-stream", headers=headers)


def _until_proof_ends(request: Request, pace: Pace) -> Pace:
    """Let no stream outlive the token that opened it."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        return pace
    clock: Clock = request.app.state.app.clock
    left = principal.expires_at - clock.now().timestamp()
    if principal.proof.kind == "api_key":
        left = min(left, pace.longest_with_key)
    return replace(pace, longest=min(pace.longest, max(left, 0.0)))


async def _follow(request: Request, read: Read, page: Page, progress: _Progress, pace: Pace) -> AsyncIterator[bytes]:
    yield b": open\n\n"
    while True:
        for row in page.rows:
            progress.after, progress.spoke = row.id, time.monotonic()
            yield _frame(row)
        if page.is_last:
            yield b"event: end\ndata: {}\n\n"
            return
        if await request.is_disconnected() or time.monotonic() - progress.started >= pace.longest:
            return
        if time.monotonic() - progress.spoke >= pace.heartbeat:
            progress.spoke = time.monotonic()
            yield b": still here\n\n"
        if not page.rows:
            await sleep(pace.poll)
        page = await run_sync(read, progress.after)


def _frame(row: Row) -> bytes:
    # JSON without line breaks, so one data line is always enough.
    data = json.dumps(row.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {row.id}\nevent: {row.kind}\ndata: {data}\n\n".encode()


async def _counted(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    _STREAMS.change(1)
    try:
        async for chunk in body:
            yield chunk
    finally:
        _STREAMS.change(-1)
