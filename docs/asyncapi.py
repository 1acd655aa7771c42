"""The AsyncAPI document: what is followed live, what sources report, and the work on the queues; from the models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from carapulse.settings import Settings

Node = dict[str, Any]
Mode = Literal["validation", "serialization"]
GATEWAY = "awsWebsocket"
BEARER, TICKET, SIGNATURE, PATH_TOKEN = "bearer", "ticket", "signature", "pathToken"


def ref(*keys: str) -> Node:
    """Return a reference into the document."""
    return {"$ref": "/".join(["#", *(key.replace("~", "~0").replace("/", "~1") for key in keys)])}


class Schemas:
    """The schemas of models: as we write them (serialization), or as we take them (validation)."""

    def __init__(self, models: Sequence[tuple[type[BaseModel], Mode]]) -> None:
        made, found = models_json_schema(models, by_alias=True, ref_template="#/components/schemas/{model}")
        self._refs = {(kind, mode): dict(schema) for (kind, mode), schema in made.items()}
        self.all: dict[str, Node] = found["$defs"]

    def ref(self, kind: type[BaseModel], mode: Mode = "serialization") -> Node:
        """Return the reference to a model's schema."""
        return self._refs[kind, mode]


@dataclass(frozen=True, slots=True)
class Part:
    """Some channels, what goes over them, and who sends it. Messages belong to channels by their names."""

    channels: Mapping[str, Node]
    messages: Mapping[str, Node]
    operations: Mapping[str, Node]


def channel(address: str, said: str, server: str, messages: Sequence[str], **more: Any) -> Node:  # noqa: ANN401 - any JSON value
    """Return a channel that these messages go over."""
    return {
        "address": address,
        "description": said,
        "servers": [ref("servers", server)],
        "messages": {name: ref("components", "messages", name) for name in messages},
        **more,
    }


def operation(action: Literal["send", "receive"], over: str, said: str, messages: Sequence[str], **more: Any) -> Node:  # noqa: ANN401 - any JSON value
    """Return what the program does with these messages of a channel."""
    return {
        "action": action,
        "channel": ref("channels", over),
        "description": said,
        "messages": [ref("channels", over, "messages", name) for name in messages],
        **more,
    }


def document(http: FastAPI, parts: Sequence[Part], schemas: Schemas) -> Node:
    """Return the whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": http.title,
            "version": http.version,
            "description": (
                f"{http.description} Here is what is followed live, what sources report, and how the parts of one"
                " installation hand work to each other. Requests and their answers are in OpenAPI, at /openapi.json."
            ),
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {name: each for part in parts for name, each in part.channels.items()},
        "operations": {name: each for part in parts for name, each in part.operations.items()},
        "components": {
            "messages": {name: each for part in parts for name, each in part.messages.items()},
            "schemas": schemas.all,
            "securitySchemes": _SCHEMES,
        },
    }


def _servers() -> Node:
    here = {"host": {"default": f"127.0.0.1:{Settings.model_fields['port'].default}"}}
    queue = {"database": {"default": "127.0.0.1:5432"}}
    return {
        "http": {
            "host": "{host}",
            "protocol": "https",
            "description": "The API; plain http on the machine that it runs on.",
            "variables": here,
        },
        "websocket": {
            "host": "{host}",
            "protocol": "wss",
            "description": "The same server; plain ws on the machine that it runs on.",
            "variables": here,
        },
        GATEWAY: _gateway(),
        "queue": {
            "host": "{database}",
            "protocol": "postgresql",
            "description": (
                "The database of the installation, where messages are rows of one table; or SQS, Pub/Sub or Knative in"
                " front of functions, which take the same as JSON, out of a CloudEvent where the broker makes one."
                " Only for parts of the installation itself."
            ),
            "variables": queue,
        },
    }


def _gateway() -> Node:
    """Return the address of the WebSocket API on AWS, as the stack's output says it."""
    return {
        "host": "{api}.execute-api.{region}.{suffix}",
        "protocol": "wss",
        "description": (
            "The WebSocket API on AWS, whose address the stack says as `LiveUrl`; there the server above has no"
            " WebSocket. Whoever connects is asked for the same."
        ),
        "variables": {
            "api": {"description": "The id that API Gateway gave it."},
            "region": {"description": "The region that it is deployed to.", "examples": ["eu-central-1"]},
            "suffix": {"default": "amazonaws.com", "description": "Another one in AWS' other partitions."},
        },
    }


_SCHEMES: Node = {
    BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token or an API key."},
    TICKET: {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "For browsers: `POST /v1/live:ticket` gives one, with the bearer. It opens one stream, once.",
    },
    SIGNATURE: {
        "type": "httpApiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": (
            "Standard Webhooks 1.0.0: the HMAC-SHA256, with the source's secret, of `webhook-id`, `webhook-timestamp`"
            " and the body, joined by dots; as `v1,` and base64."
        ),
    },
    PATH_TOKEN: {
        "type": "userPassword",
        "description": "The last part of the address, which only the source and we know.",
    },
}
