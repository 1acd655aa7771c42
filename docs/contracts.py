"""The contracts that programs read: OpenAPI of what is asked and answered, AsyncAPI of what is sent on its own."""

from collections.abc import Sequence

from docs import followed, handed
from docs.asyncapi import Node, Schemas, document
from docs.http import make_http

from carapulse.kernel.event import Event
from carapulse.runtime.http.contract import guards_of


def openapi() -> Node:
    """Return the OpenAPI document."""
    return make_http().openapi()


def asyncapi(kinds: Sequence[type[Event]]) -> Node:
    """Return the AsyncAPI document for these kinds of event."""
    http = make_http()
    schemas = Schemas([*((each, "serialization") for each in kinds), *followed.MODELS, *handed.MODELS])
    permissions = {path: each for path, needed in guards_of(http) for each in needed}
    live = followed.followed(kinds, schemas, http.openapi(), permissions)
    parts = [live, handed.reported(http.openapi(), schemas), handed.handed(schemas)]
    return document(http, parts, schemas)
