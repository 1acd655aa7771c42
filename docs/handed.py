"""What sources report and what the queues carry, for the AsyncAPI document."""

from typing import Any

from docs.asyncapi import PATH_TOKEN, SIGNATURE, Mode, Node, Part, Schemas, channel, operation, ref
from docs.tables import sentence
from pydantic import BaseModel

from carapulse.broker.envelope import TYPE_PREFIX, Envelope
from carapulse.intake.alertmanager import Notification
from carapulse.intake.examples import NOTIFYING
from carapulse.runtime.areas import handlers

SIGNED = "/v1/webhooks/alertmanager/{source}"
WITH_TOKEN = f"{SIGNED}/{{token}}"
HANDLED = handlers("queue").handlers | handlers("step-functions").handlers
MODELS: list[tuple[type[BaseModel], Mode]] = [
    (Notification, "validation"),
    (Envelope, "validation"),
    *((kind, "validation") for kind, _ in HANDLED.values()),
]


def reported(openapi: Node, schemas: Schemas) -> Part:
    """Return where sources report to, and how they prove that they are who they are."""
    alerts = {
        "name": "alertmanager.notification",
        "title": Notification.__name__,
        "summary": sentence(Notification),
        "description": "Alertmanager's webhook, version 4. Members that are not described here are let pass.",
        "payload": schemas.ref(Notification, "validation"),
        "examples": [{"summary": said, "payload": body} for said, body in NOTIFYING.items()],
    }
    routes = {
        "signedAlerts": (SIGNED, "alertNotificationSigned", SIGNATURE),
        "alertsWithToken": (WITH_TOKEN, "alertNotification", PATH_TOKEN),
    }
    return Part(
        channels={name: _webhook(openapi, path, message) for name, (path, message, _) in routes.items()},
        messages={
            "alertNotificationSigned": {**alerts, "headers": _headers(openapi)},
            "alertNotification": alerts,
        },
        operations={
            f"receive{name[0].upper()}{name[1:]}": operation(
                "receive",
                name,
                openapi["paths"][path]["post"]["description"],
                [message],
                security=[ref("components", "securitySchemes", scheme)],
                bindings={"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            )
            for name, (path, message, scheme) in routes.items()
        },
    )


def _webhook(openapi: Node, path: str, message: str) -> Node:
    named = [each["name"] for each in openapi["paths"][path]["post"]["parameters"] if each["in"] == "path"]
    said = {"source": "the source's id", "token": "the source's token, which is in `secret_path` when it is made"}
    parameters = {name: {"description": said[name]} for name in named}
    answered = "Where an Alertmanager reports to. It is answered before anything is made of it; see OpenAPI."
    return channel(path, answered, "http", [message], parameters=parameters)


def _headers(openapi: Node) -> Node:
    """Return the headers of a signature, each of which must be there."""
    given = [each["name"] for each in openapi["paths"][SIGNED]["post"]["parameters"] if each["in"] == "header"]
    return {"type": "object", "properties": {name: {"type": "string"} for name in given}, "required": given}


def handed(schemas: Schemas) -> Part:
    """Return the queues, and a message for each kind of work."""
    queues: dict[str, list[str]] = {queue: [] for queue in sorted({kind.queue for kind, _ in HANDLED.values()})}
    for name, (kind, _) in sorted(HANDLED.items()):
        queues[kind.queue].append(name)
    return Part(
        channels={queue: _queue(queue, names) for queue, names in queues.items()},
        messages={name: _work(kind, schemas) for name, (kind, _) in sorted(HANDLED.items())},
        operations={
            f"{verb}{queue.capitalize()}": operation(action, queue, said, names)
            for queue, names in queues.items()
            for verb, action, said in _DOING
        },
    )


_DOING: Any = (
    ("ask", "send", "Ask for work, in the same write as the state that needs it."),
    ("do", "receive", "Do it. Delivery is at least once, and every handler bears a repetition."),
)


def _queue(queue: str, names: list[str]) -> Node:
    said = (
        f"The queue of {queue}. A broker carries a signed reference; what is to be done (`x-content`) stays in the "
        "table of messages. What fails comes again, and in the end is put among the dead letters."
    )
    return channel(queue, said, "queue", names)


def _work(kind: type[BaseModel], schemas: Schemas) -> Node:
    name = kind.__name__
    own = {"type": {"const": f"{TYPE_PREFIX}{name}"}}
    return {
        "name": name,
        "title": name,
        "summary": sentence(kind),
        "correlationId": {"location": "$message.payload#/traceparent", "description": "the trace that it continues"},
        "payload": {"allOf": [schemas.ref(Envelope, "validation"), {"type": "object", "properties": own}]},
        "x-content": schemas.ref(kind, "validation"),
    }
