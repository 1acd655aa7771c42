"""WebSockets that API Gateway holds: it tells of each that comes, says something or leaves, one event at a time.

Whoever comes is asked the same as on /v1/ws, by the same application: ticket or bearer, origin, permission, how often.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.types import Message, Scope

from carapulse.kernel.errors import Invalid, Problem
from carapulse.live.errors import ConnectionUnknown, NoSuchOccasion
from carapulse.live.holding import forget_client, hear_client
from carapulse.live.ports import HeldPorts
from carapulse.live.routes import CONNECTION
from carapulse.observe import get_logger
from carapulse.pushing import LONGEST_MESSAGE
from carapulse.runtime.problem import body_of
from carapulse.settings import Settings
from carapulse.tracing import Trace, traced

Answer = dict[str, Any]
PATH: Final = "/v1/ws"

log = get_logger(__name__)


def refuse_no_gateway(settings: Settings) -> None:
    """Raise Invalid for settings under which clients would be let in and nobody could tell them anything."""
    if settings.live_gateway is None or settings.live_pusher is None:
        raise Invalid("this function is for CARAPULSE_LIVE_GATEWAY and CARAPULSE_LIVE_PUSHER, which lack")


class HeldSockets:
    """Answers API Gateway's events about the sockets that it holds."""

    def __init__(self, http: FastAPI, ports: HeldPorts) -> None:
        self._http = http
        self._ports = ports
        self._loop = asyncio.Runner()  # one for all events: what the application waits by belongs to its loop

    def answer(self, event: dict[str, Any]) -> Answer:
        """Let a client in, hear it, or forget it; a status of 4xx or 5xx at $connect keeps it out."""
        with traced(Trace.begin()):
            try:
                return self._answer(event)
            except ConnectionUnknown as problem:
                log.info("connection_unknown", connection=_connection(event), occasion=_occasion(event))
                return _refusal(problem)
            except Problem as problem:
                log.warning("occasion_refused", code=problem.code, detail=problem.detail)
                return _refusal(problem)

    def _answer(self, event: dict[str, Any]) -> Answer:
        match _occasion(event):
            case "CONNECT":
                return self._loop.run(_asked(self._http, event))
            case "MESSAGE":
                hear_client(_connection(event), _said(event), self._ports)
            case "DISCONNECT":
                forget_client(_connection(event), self._ports)
            case other:
                raise NoSuchOccasion("a gateway tells of CONNECT, MESSAGE and DISCONNECT", occasion=str(other))
        return {"statusCode": HTTPStatus.OK}


@dataclass
class _Reply:
    """What the application says to a request for a WebSocket."""

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    async def take(self, message: Message) -> None:
        match message["type"]:
            case "websocket.accept":
                self.status = HTTPStatus.OK
            case "websocket.http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            case "websocket.http.response.body":
                self.body += message.get("body", b"")
            case other:
                raise NoSuchOccasion("nothing can be said to whoever is not let in yet", said=other)

    def answer(self) -> Answer:
        told: Answer = {"statusCode": int(self.status), "headers": self.headers}
        return {**told, "body": self.body.decode()} if self.body else told


async def _asked(http: FastAPI, event: dict[str, Any]) -> Answer:
    reply = _Reply()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await http(_scope(event), receive, reply.take)
    return reply.answer()


def _scope(event: dict[str, Any]) -> Scope:
    """Return a request for a WebSocket as ASGI has it (3.0, with the extension for plain answers)."""
    context = event["requestContext"]
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": urlencode(_pairs(event.get("multiValueQueryStringParameters"))).encode(),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in _pairs(event.get("multiValueHeaders"))
        ],
        "client": (context.get("identity", {}).get("sourceIp", ""), 0),
        "server": (context.get("domainName", ""), 443),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
        CONNECTION: context["connectionId"],
    }


def _pairs(given: Mapping[str, list[str]] | None) -> list[tuple[str, str]]:
    return [(name, value) for name, values in (given or {}).items() for value in values]


def _occasion(event: dict[str, Any]) -> object:
    context = event.get("requestContext")
    return context.get("eventType") if isinstance(context, dict) else None


def _connection(event: dict[str, Any]) -> str:
    return str(event["requestContext"]["connectionId"])


def _said(event: dict[str, Any]) -> str | None:
    """Return what a client says, None if it is no text or too long."""
    text: str = event.get("body") or ""
    return None if event.get("isBase64Encoded") or len(text.encode()) > LONGEST_MESSAGE else text


def _refusal(problem: Problem) -> Answer:
    return {"statusCode": int(problem.status), "body": json.dumps(body_of(problem))}
