"""Input schemas (JSON Schema 2020-12): closed, bounded, and no control characters unless the text may have lines."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import escaped, pointer_of
from carapulse.tools.model import JsonObject

_ONE_LINE = "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$"
_NO_NUL = "^[^\\x00]*$"
_MANY_LINES = "text/plain"
_LINEAR = jsonschema_rs.RegexOptions()
_NESTED = ("properties", "$defs")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")


def without_control_characters(schema: Any) -> Any:  # noqa: ANN401 - any JSON schema
    """Return the schema with every string kept to one line, or to text where contentMediaType is text/plain."""
    if isinstance(schema, list):
        return [without_control_characters(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {word: _inner(word, value) for word, value in schema.items()}
    if schema.get("type") != "string":
        return inner
    pattern = _NO_NUL if schema.get("contentMediaType") == _MANY_LINES else _ONE_LINE
    return {**inner, "allOf": [{"pattern": pattern}, *inner.get("allOf", [])]}


def _inner(word: str, value: Any) -> Any:  # noqa: ANN401 - any part of a JSON schema
    if word in _NESTED:
        return {name: without_control_characters(inner) for name, inner in value.items()}
    return value if word in {"enum", "const", "default", "examples"} else without_control_characters(value)


def without_required(schema: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return the schema of the same object while some of its fields are still to come."""
    relaxed = dict(schema)
    if "required" in schema:
        relaxed["required"] = [name for name in schema["required"] if name not in names]
    if "dependentRequired" in schema:
        needs = schema["dependentRequired"].items()
        relaxed["dependentRequired"] = {name: [each for each in needed if each not in names] for name, needed in needs}
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            relaxed[word] = [without_required(inner, names) for inner in schema[word]]
    return relaxed


def shortcomings(schema: Any, pointer: str) -> Iterator[Fault]:  # noqa: ANN401 - any JSON schema
    """Yield where a schema leaves something open: unknown fields, endless strings or lists, no type."""
    if not isinstance(schema, dict):
        yield Fault(pointer=pointer, code="schema", detail="a schema is an object")
        return
    yield from _own_shortcomings(schema, pointer)
    for word in _NESTED:
        for name, inner in schema.get(word, {}).items():
            yield from shortcomings(inner, f"{pointer}/{word}/{escaped(name)}")
    for word in _LISTS:
        for number, inner in enumerate(schema.get(word, [])):
            if isinstance(inner, dict) and "type" in inner:
                yield from shortcomings(inner, f"{pointer}/{word}/{number}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from shortcomings(schema[word], f"{pointer}/{word}")


def _own_shortcomings(schema: JsonObject, pointer: str) -> Iterator[Fault]:
    if schema.keys() & {"enum", "const", "anyOf", "oneOf", "$ref"}:
        return
    match schema.get("type"):
        case "object" if schema.get("x-free-form") and "maxProperties" in schema:
            return
        case "object" if schema.get("additionalProperties") is None or schema["additionalProperties"] is True:
            yield Fault(pointer=pointer, code="open-object", detail="additionalProperties must be false or a schema")
        case "object" if isinstance(schema["additionalProperties"], dict) and "maxProperties" not in schema:
            yield Fault(pointer=pointer, code="open-object", detail="a mapping needs maxProperties")
        case "string" if "maxLength" not in schema:
            yield Fault(pointer=pointer, code="endless-string", detail="a string needs maxLength, enum or const")
        case "array" if "maxItems" not in schema or "items" not in schema:
            yield Fault(pointer=pointer, code="endless-array", detail="an array needs items and maxItems")
        case "integer" | "number" if "maximum" not in schema or "minimum" not in schema:
            yield Fault(pointer=pointer, code="endless-number", detail="a number needs minimum and maximum")
        case None | list():
            yield Fault(pointer=pointer, code="no-type", detail="a schema needs one type")
        case _:
            return


class InputSchema:
    """A compiled schema that says where an input goes wrong. Values never appear in what it says."""

    def __init__(self, schema: JsonObject) -> None:
        if not jsonschema_rs.meta.is_valid(schema):
            raise ValueError("not a JSON schema")
        self.schema = without_control_characters(schema)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                self.schema, mask="the value", pattern_options=_LINEAR, offline=True
            )
        except (jsonschema_rs.ValidationError, ValueError) as error:
            raise ValueError(f"not a JSON schema: {str(error).splitlines()[0]}") from error

    def faults(self, value: Any, pointer: str = "") -> tuple[Fault, ...]:  # noqa: ANN401 - any JSON value
        """Return every fault of a value, with RFC 6901 pointers that begin with the given one."""
        return tuple(fault for error in self._validator.iter_errors(value) for fault in _faults_of(error, pointer))


def _faults_of(error: jsonschema_rs.ValidationError, pointer: str) -> Iterator[Fault]:
    place = pointer + pointer_of(error.instance_path)
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=names):
            for name in names:
                yield Fault(pointer=f"{place}/{escaped(name)}", code="unknown-field", detail="there is no such field")
        case jsonschema_rs.ValidationErrorKind.Required(property=name):
            yield Fault(pointer=f"{place}/{escaped(str(name))}", code="missing", detail="this is required")
        case jsonschema_rs.ValidationErrorKind.Pattern(pattern=pattern) if pattern in {_ONE_LINE, _NO_NUL}:
            yield Fault(
                pointer=place, code="control-character", detail="line breaks and control characters are refused"
            )
        case _:
            yield Fault(pointer=place, code=_code(error.kind.name), detail=error.message)


def _code(keyword: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in keyword)
