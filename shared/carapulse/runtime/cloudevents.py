"""CloudEvents 1.0 over HTTP (binary and structured mode), as a broker of Knative hands them on."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from carapulse.broker.ports import Arrival
from carapulse.kernel.errors import Invalid
from carapulse.wire import read_json

PUBSUB: Final = "google.cloud.pubsub.topic.v1.messagePublished"
_STRUCTURED: Final = "application/cloudevents+json"
_DATA: Final = frozenset({"data", "data_base64", "datacontenttype"})


class NoCloudEvent(Invalid):
    """The request is no CloudEvent."""

    code = "no-cloud-event"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The attributes of an event, all but those of its content, and the content."""

    attributes: dict[str, Any]
    data: Any


def read_cloud_event(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """Return the event of a request, or raise NoCloudEvent, or MalformedJson."""
    given = {name.lower(): each for name, each in headers.items()}
    if given.get("content-type", "").partition(";")[0].strip().lower() == _STRUCTURED:
        event = read_json(body)
        if not isinstance(event, dict):
            raise NoCloudEvent("the event is no object")
        found = CloudEvent({name: each for name, each in event.items() if name not in _DATA}, event.get("data"))
    else:
        named = {name[3:]: unquote(each) for name, each in given.items() if name.startswith("ce-")}
        found = CloudEvent(named, body)
    if found.attributes.get("specversion") != "1.0" or not found.attributes.get("type"):
        raise NoCloudEvent("the request is no CloudEvent of version 1.0")
    return found


def arrival_of(event: CloudEvent) -> Arrival:
    """Return what the event brings: Pub/Sub's content is the envelope in base64; any other is the envelope itself."""
    queue = str(event.attributes.get("source"))
    if event.attributes["type"] != PUBSUB:
        return Arrival(queue, event.attributes, times=1, handle=None)
    return Arrival(queue, _unwrapped(event.data), times=1, handle=None)


def _unwrapped(data: Any) -> Any:  # noqa: ANN401 - whatever a broker hands over
    """Return the envelope; what holds none comes back as it is, for whoever reads envelopes to refuse it."""
    try:
        said = read_json(data) if isinstance(data, bytes) else data
        return base64.b64decode(said["message"]["data"], validate=True)
    except (TypeError, KeyError, binascii.Error, ValueError, Invalid):
        return data if isinstance(data, bytes) else {"data": data}
