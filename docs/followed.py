"""What is followed live, for the AsyncAPI document: the log as server-sent events and over a WebSocket, and lines."""

from collections.abc import Iterable, Mapping

from docs.asyncapi import BEARER, GATEWAY, TICKET, Mode, Node, Part, Schemas, channel, operation, ref
from docs.tables import sentence
from infra.aws.template import ROOT, load
from pydantic import BaseModel

from carapulse.executions.views import LineView
from carapulse.kernel.event import Event
from carapulse.live.errors import EventsGone, EventTooLarge, TooManyMessages
from carapulse.live.feed import OVERFLOW, STOPPING, TIME_IS_UP, TOKEN_EXPIRED, Pace
from carapulse.live.following import CLOSES, REFUSED
from carapulse.live.model import TYPE_PREFIX, Ask, End, EventEnvelope, Sign
from carapulse.live.readers import READERS, UNKNOWN
from carapulse.live.speaking import Ping, Subscribe
from carapulse.pushing import LONGEST_MESSAGE

EVENTS, LINES = "/v1/events", "/v1/executions/{execution_id}/logs"
WS, HELD_WS = "ws", "heldWs"
_WHERE = {WS: "", HELD_WS: "OnAws"}
SIGNS = ("open", "heartbeat", "pong")
MODELS: list[tuple[type[BaseModel], Mode]] = [
    (Ask, "validation"),
    (Subscribe, "validation"),
    (Ping, "validation"),
    (EventEnvelope, "serialization"),
    (Sign, "serialization"),
    (End, "serialization"),
    (LineView, "serialization"),
]
_CLOUD_EVENT = "CloudEvent"


def followed(kinds: Iterable[type[Event]], schemas: Schemas, openapi: Node, permissions: Mapping[str, str]) -> Part:
    """Return the streams, and a message for each kind of event."""
    events = {each.__name__: _event(each, schemas) for each in kinds}
    schemas.all[_CLOUD_EVENT] = _with_data(schemas.all.pop(EventEnvelope.__name__))
    return Part(
        channels={
            "events": _events_channel([*events, "end"]),
            WS: _talk_channel([*events, *SIGNS, "end", "subscribe", "ping"], schemas),
            HELD_WS: _held_channel([*events, *SIGNS, "end", "subscribe", "ping"], schemas),
            "executionLines": _lines_channel(),
        },
        messages=events | _control(schemas) | _lines(schemas),
        operations={
            "followEvents": _following([*events, "end"], openapi, permissions),
            "followLines": _following_lines(openapi, permissions),
            **_talking(WS, [*events, "open", "heartbeat", "end"], permissions["/v1/ws"]),
            **_talking(HELD_WS, [*events, "open", "heartbeat", "end"], permissions["/v1/ws"]),
        },
    )


def _following(messages: list[str], openapi: Node, permissions: Mapping[str, str]) -> Node:
    said = "Tell what happens, each event as the `data` of a server-sent event, for as long as the client stays."
    query = {"query": ref("components", "schemas", Ask.__name__)}
    return operation("send", "events", said, messages, **_opened_by(EVENTS, openapi, permissions, query))


def _following_lines(openapi: Node, permissions: Mapping[str, str]) -> Node:
    said = "Tell what tools write, line by line, until the execution is over."
    opened = _opened_by(LINES, openapi, permissions) | {"security": [ref("components", "securitySchemes", BEARER)]}
    return operation("send", "executionLines", said, ["log", "logEnd"], **opened)


def _opened_by(path: str, openapi: Node, permissions: Mapping[str, str], query: Node | None = None) -> Node:
    """Return how a stream is opened: by which request, with which headers, by whom."""
    given = [each for each in openapi["paths"][path]["get"]["parameters"] if each["in"] == "header"]
    headers = {"type": "object", "properties": {each["name"]: each["schema"] for each in given}}
    http = {"method": "GET", **(query or {}), "x-headers": headers, "bindingVersion": "0.3.0"}
    return {**_guarded(permissions[path]), "bindings": {"http": http}}


def _talking(over: str, messages: list[str], permission: str) -> Node:
    told = "Tell what happens, one CloudEvent in each text message, with signs of life and the end."
    turned = "Go on with other events, or from another place."
    pinged = "Say where the client is."
    opened, ponged = (_reply(over, each) for each in ("open", "pong"))
    guarded, where = _guarded(permission), _WHERE[over]
    return {
        f"followEventsOverWebSocket{where}": operation("send", over, told, messages, **guarded),
        f"turn{where}": operation("receive", over, turned, ["subscribe"], reply=opened, **guarded),
        f"ping{where}": operation("receive", over, pinged, ["ping"], reply=ponged, **guarded),
    }


def _guarded(permission: str) -> Node:
    schemes = [ref("components", "securitySchemes", each) for each in (BEARER, TICKET)]
    return {"security": schemes, "x-permission": permission}


def _reply(over: str, message: str) -> Node:
    return {"channel": ref("channels", over), "messages": [ref("channels", over, "messages", message)]}


def _event(kind: type[Event], schemas: Schemas) -> Node:
    name = kind.__name__
    own = {"type": {"const": f"{TYPE_PREFIX}{name}"}, "data": schemas.ref(kind)}
    return {
        "name": f"{TYPE_PREFIX}{name}",
        "title": name,
        "summary": sentence(kind),
        "contentType": "application/cloudevents+json",
        "tags": [{"name": kind.__module__.split(".")[1]}],
        "payload": {"allOf": [ref("components", "schemas", _CLOUD_EVENT), {"type": "object", "properties": own}]},
        "x-permission": READERS[name],
    }


def _with_data(envelope: Node) -> Node:
    """Return the whole CloudEvent's schema: the log splices the event into its envelope as it is kept."""
    data = {"type": "object", "description": "the event"}
    return {
        **envelope,
        "title": _CLOUD_EVENT,
        "properties": {**envelope["properties"], "data": data},
        "required": [*envelope["required"], "data"],
    }


def _events_channel(messages: list[str]) -> Node:
    pace = Pace()
    return channel(
        EVENTS,
        "The log of the tenant as server-sent events, as far as the caller's roles may read it, in order and each once."
        " The `id` of a server-sent event is its place in the log; a request with it as `Last-Event-ID`, or as `after`,"
        f" goes on behind it. After {pace.heartbeat:.0f} seconds of silence there is a comment, `: heartbeat`, with an"
        " `id` that moves the client on; `: open` comes first. The last event is named as the code of its `end`."
        " Whoever may not, or asks for what is not there, gets a problem of OpenAPI instead."
        f" Events of a kind that is not described here are of another version; only who has `{UNKNOWN}` sees them.",
        "http",
        messages,
    )


def _talk_channel(messages: list[str], schemas: Schemas) -> Node:
    return channel(
        "/v1/ws",
        "The log of the tenant over a WebSocket: the same events, with signs of life as messages, and a client that"
        f" may turn to other events. What is longer than {LONGEST_MESSAGE} bytes, or none of the two messages that a"
        " client may send, ends the conversation. What is no CloudEvent has a `type` without a dot.",
        "websocket",
        messages,
        bindings=_asked_with(schemas),
    )


def _held_channel(messages: list[str], schemas: Schemas) -> Node:
    """Return the root of the gateway's stage, where the parameters of a request are all that there is to say."""
    stage = load(ROOT / "infra" / "aws" / "live.yml")["Resources"]["LiveStage"]["Properties"]["StageName"]
    codes = f"`{TooManyMessages.code}` and `{EventTooLarge.code}`"
    return channel(
        f"/{stage}",
        "The same as /v1/ws, where it is API Gateway that holds the socket, instead of it. Messages of the last seconds"
        " may come twice, if a function dies; their `sequence` tells. The close code is the gateway's: the reason is in"
        f" `end`, whose code may also be {codes}.",
        GATEWAY,
        messages,
        bindings=_asked_with(schemas),
    )


def _asked_with(schemas: Schemas) -> Node:
    return {"ws": {"method": "GET", "query": schemas.all[Ask.__name__], "bindingVersion": "0.1.0"}}


def _control(schemas: Schemas) -> dict[str, Node]:
    said = {
        "open": "You get what comes after this place.",
        "heartbeat": "There is nothing for you up to this place.",
        "pong": "You asked, and are at this place.",
    }
    codes = [each.code for each in (OVERFLOW, STOPPING, TIME_IS_UP, TOKEN_EXPIRED, EventsGone)]
    return {
        **{name: _sign(name, text, schemas) for name, text in said.items()},
        "end": {
            "name": "end",
            "summary": sentence(End),
            "description": f"The usual codes are {', '.join(codes)}; any other is one of a problem.",
            "payload": schemas.ref(End),
            "x-close": {**CLOSES, "others": REFUSED},
        },
        "subscribe": {
            "name": "subscribe",
            "summary": sentence(Subscribe),
            "payload": schemas.ref(Subscribe, "validation"),
        },
        "ping": {"name": "ping", "summary": sentence(Ping), "payload": schemas.ref(Ping, "validation")},
    }


def _sign(name: str, said: str, schemas: Schemas) -> Node:
    only = {"type": "object", "properties": {"type": {"const": name}}}
    return {"name": name, "summary": said, "payload": {"allOf": [schemas.ref(Sign), only]}}


def _lines_channel() -> Node:
    said = (
        "The lines that the tools of one execution write, as server-sent events named `log`; the `id` is the line's"
        " place, to go on behind with `Last-Event-ID`. `end` is the last when the execution is over; asked again then,"
        " the answer is 204."
    )
    parameters = {"execution_id": {"description": "the execution's id"}}
    return channel(LINES, said, "http", ["log", "logEnd"], parameters=parameters)


def _lines(schemas: Schemas) -> dict[str, Node]:
    nothing = {"type": "object", "additionalProperties": False}
    return {
        "log": {"name": "log", "summary": sentence(LineView), "payload": schemas.ref(LineView)},
        "logEnd": {"name": "end", "summary": "The execution is over; no line will follow.", "payload": nothing},
    }
