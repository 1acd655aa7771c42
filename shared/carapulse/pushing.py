"""Answers that are pushed: parts go out as they come, as server-sent events or over a WebSocket, to whoever reads.

A client that leaves ends its stream at once. One that stays and does not read is given up after some patience: the
server holds its part back, and nobody can tell it why.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from anyio import CancelScope, create_task_group, fail_after, sleep
from fastapi import Response, WebSocket, WebSocketDisconnect
from starlette.types import Receive, Scope, Send

from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger

LONGEST_MESSAGE: Final = 4096
"""Bytes of a message that a client may send over a WebSocket."""

_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_BREATH_S = 0.05  # between two messages of one client
_PATIENCE_S = 20.0

log = get_logger(__name__)


class PushUnsupported(Problem):
    """What runs here can't answer in parts, so nothing can be followed."""

    code = "push-unsupported"
    status = HTTPStatus.NOT_IMPLEMENTED


class Parts(Protocol):
    """What is pushed: each part as it is sent."""

    def parts(self) -> AsyncGenerator[bytes, None]:
        """Yield the parts."""
        ...


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a conversation: a code (RFC 6455, 7.4) and a few words."""

    code: int
    reason: str


class Talk(Protocol):
    """One side of a conversation."""

    def said(self) -> AsyncGenerator[str | Close, None]:
        """Yield what is said to the client, and at last how it is closed."""
        ...

    def hear(self, message: str | None) -> None:
        """Take what the client says; None if it is no text, or too long."""
        ...


class Pushed(Response):
    """An endless answer of server-sent events. What can't be opened is a plain problem."""

    media_type = "text/event-stream"

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Parts]]) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._opening = opening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send part after part until there is none, or nobody reads; raises PushUnsupported behind API Gateway."""
        if "aws.event" in scope:
            raise PushUnsupported("a function behind API Gateway answers all at once; follow at a server")
        async with self._opening() as source, create_task_group() as tasks:
            tasks.start_soon(_until_left, receive, tasks.cancel_scope)
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.raw_headers})
            await self._push(source, send)
            tasks.cancel_scope.cancel()

    async def _push(self, source: Parts, send: Send) -> None:
        try:
            async with aclosing(source.parts()) as parts:
                async for part in parts:
                    with fail_after(_PATIENCE_S):
                        await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.info("client_does_not_read")


async def converse(socket: WebSocket, opening: Callable[[], AbstractAsyncContextManager[Talk]]) -> None:
    """Accept a WebSocket and talk until either side ends it. What can't be opened is a plain problem."""
    async with opening() as talk:
        await socket.accept()
        async with create_task_group() as tasks:
            tasks.start_soon(_listen, socket, talk, tasks.cancel_scope)
            await _speak(socket, talk)
            tasks.cancel_scope.cancel()


async def _until_left(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _speak(socket: WebSocket, talk: Talk) -> None:
    try:
        async with aclosing(talk.said()) as said:
            async for each in said:
                with fail_after(_PATIENCE_S):
                    await _say(socket, each)
    except TimeoutError:
        log.info("client_does_not_read")
    except WebSocketDisconnect:
        log.info("client_left")


async def _say(socket: WebSocket, said: str | Close) -> None:
    if isinstance(said, Close):
        await socket.close(said.code, said.reason)
    else:
        await socket.send_text(said)


async def _listen(socket: WebSocket, talk: Talk, scope: CancelScope) -> None:
    """Pass on what the client says until it leaves. Only the other half sends, so that nothing crosses."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        text: str | None = message.get("text")
        talk.hear(None if text is None or len(text.encode()) > LONGEST_MESSAGE else text)
        await sleep(_BREATH_S)
    scope.cancel()
