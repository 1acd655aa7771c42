"""Where a request is wrong: pydantic's locations as JSON pointers (RFC 6901) into what the caller sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from carapulse.kernel.pointers import pointer_of

_MOST = 50
_CODES = {"extra_forbidden": "unknown-field"}


def faults_of(error: RequestValidationError) -> list[dict[str, str]]:
    """Return what is wrong and where, at most fifty times; never what was sent."""
    return [_fault(each, error.body) for each in error.errors()[:_MOST]]


def _fault(found: Mapping[str, Any], body: object) -> dict[str, str]:
    kind = str(found["type"])
    part, *rest = found["loc"]
    said = {"code": _CODES.get(kind, kind.replace("_", "-")), "detail": str(found["msg"])}
    if part == "body":
        return {"pointer": pointer_to(rest, body, is_missing=kind == "missing"), **said}
    return {"parameter": str(rest[0] if rest else part), **said}


def pointer_to(location: Sequence[int | str], document: object, *, is_missing: bool) -> str:
    """Return the JSON pointer to a place in the document.

    Pydantic names the members of a union and other inner types too; they are not in the document and are left out.
    A field that is missing is not there either, but its name is the answer, and it comes last.
    """
    found: list[int | str] = []
    node: Any = document
    for index, key in enumerate(location):
        if _is_in(node, key):
            node = node[key]
        elif not (is_missing and index == len(location) - 1):
            continue
        found.append(key)
    return pointer_of(found)


def _is_in(node: object, key: int | str) -> bool:
    if isinstance(node, dict):
        return key in node
    return isinstance(node, list) and isinstance(key, int) and key < len(node)
