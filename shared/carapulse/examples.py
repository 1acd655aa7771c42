"""What a routes.py may use to show bodies that anybody can copy. A test sends every one of them.

An area keeps its own in examples.py, by a few words that say what each asks for.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Body = Mapping[str, Any]
Examples = Mapping[str, Body]


def shows(examples: Examples, of: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return a route's `openapi_extra`; with `of`, also the schema of a body that the route reads by itself."""
    named = {_slug(said): {"summary": said, "value": dict(body)} for said, body in examples.items()}
    content: dict[str, Any] = {"examples": named}
    if of is None:
        return {"requestBody": {"content": {"application/json": content}}}
    schema = of.model_json_schema()
    content["schema"] = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _slug(said: str) -> str:
    return "-".join("".join(each for each in word if each.isalnum()) for word in said.lower().split())


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a schema that stands alone: what it refers to, in its place. None of these models contains itself."""
    if isinstance(node, list):
        return [_inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in node.items()}
