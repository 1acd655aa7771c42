"""Requests that are sent again under one key: carried out once, and answered as the first was."""

import base64
import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.idempotency.model import HEADER, REPLAYED, Answer, Asked, Given, read_key
from carapulse.idempotency.ports import KeyPorts
from carapulse.idempotency.usecases import claim_key, settle_attempt
from carapulse.kernel.call import Attempt, Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger
from carapulse.routing import HasClock, call_of
from carapulse.runtime.http.gate import may_carry_key, replayed
from carapulse.runtime.http.paths import path_of
from carapulse.runtime.http.problems import respond
from carapulse.runtime.http.refusing import tell

_KEPT = ("content-type", "etag", "location")

log = get_logger(__name__)


@dataclass(slots=True)
class _Collected:
    """An answer, held back until it is kept."""

    messages: list[Message] = field(default_factory=list)

    async def take(self, message: Message) -> None:
        """Take the next part."""
        self.messages.append(message)

    def given(self, state: dict[str, Any]) -> Given | None:
        """Return the answer and what the route said about it, or None if there is none."""
        if not self.messages:
            return None
        start, *parts = self.messages
        headers = Headers(raw=start["headers"])
        body = b"".join(each.get("body", b"") for each in parts)
        about = {name: headers[name] for name in _KEPT if name in headers}
        answer = Answer(status=start["status"], headers=about, body=base64.b64encode(body).decode("ascii"))
        permission = state.get("needed_again", state.get("permission"))
        is_secret = state.get("answer_is_secret", False)
        return Given(answer=answer, size=len(body), permission=permission, is_secret=is_secret)


class Repeats:
    """Behind the gate: sees each POST under /v1 that carries a key, and whose it is."""

    def __init__(self, app: ASGIApp, ports: object) -> None:
        self._app = app
        self._ports = cast("KeyPorts", ports)
        self._clock = cast("HasClock", ports)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry the request out, or answer as it was answered before."""
        if not _may_carry(scope):
            await self._app(scope, receive, send)
            return
        try:
            key = read_key(Headers(scope=scope).getlist(HEADER))
        except Problem as problem:
            await respond(problem)(scope, receive, send)
            return
        if key is None:
            await self._app(scope, receive, send)
        else:
            await self._answer(key, scope, receive, send)

    async def _answer(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")  # the gate has read all of it
        call = call_of(scope["state"]["principal"], self._clock.clock)
        try:
            found = await run_sync(self._claim, key, scope, body, call)
        except Problem as problem:
            await tell(problem, scope)
            await respond(problem)(scope, receive, send)
            return
        if isinstance(found, Answer):
            await _again(found)(scope, receive, send)
            return
        for message in await self._carry_out(found, call, scope, replayed(body, receive)):
            await send(message)

    def _claim(self, key: str, scope: Scope, body: bytes, call: Call) -> Attempt | Answer:
        return claim_key(Asked(key=key, fingerprint=_fingerprint(scope, body)), call, self._ports)

    async def _carry_out(self, attempt: Attempt, call: Call, scope: Scope, receive: Receive) -> list[Message]:
        """Return the whole answer once it is kept, so that whoever saw it gets it again."""
        answer = _Collected()
        scope["state"]["attempt"] = attempt
        settle = partial(self._settle, attempt=attempt, call=call)
        try:
            await self._app(scope, receive, answer.take)
        except Exception:
            await run_sync(settle, None)
            raise
        await run_sync(settle, answer.given(scope["state"]))
        return answer.messages

    def _settle(self, given: Given | None, attempt: Attempt, call: Call) -> None:
        try:
            settle_attempt(given, attempt, call, self._ports)
        except Problem as problem:
            # What was done is done, and its answer is true: the caller gets it; a repetition is told that it is lost.
            log.error("answer_not_kept", key=attempt.key, code=problem.code, detail=problem.detail)  # noqa: TRY400 - no defect of ours


def _may_carry(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] == "POST" and may_carry_key(path_of(scope))


def _fingerprint(scope: Scope, body: bytes) -> str:
    query = sorted(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
    sent = [json.loads(body)] if body else []
    return digest([scope["method"], path_of(scope), [list(each) for each in query], sent])


def _again(answer: Answer) -> Response:
    return Response(base64.b64decode(answer.body), answer.status, {**answer.headers, REPLAYED: "true"})
