"""JMESPath with two additions: a missing answer is None, and what is no number in JSON becomes None."""

import math
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult


@lru_cache(maxsize=4096)
def compiled(expression: str) -> ParsedResult:
    """Return the parsed expression, or raise ValueError that says what is wrong with it."""
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {expression!r}") from error
    if _negates_too_little(parsed.parsed):
        raise ValueError(f"write !(a.b), for !a.b is read as (!a).b: {expression!r}")
    return parsed


def _negates_too_little(node: Any) -> bool:  # noqa: ANN401 - a node of the library's own tree
    children = [child for child in node["children"] if isinstance(child, dict)]
    here = node["type"] == "subexpression" and children[0]["type"] == "not_expression"
    return here or any(_negates_too_little(child) for child in children)


def look_up(expression: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what the expression finds in a JSON value; None where it finds nothing or can't be applied."""
    try:
        return finite(compiled(expression).search(value))
    except JMESPathError:
        return None


def holds(expression: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether the expression finds something that JMESPath counts as true."""
    found = look_up(expression, value)
    return found not in (None, False, "", [], {}) or (isinstance(found, int | float) and not isinstance(found, bool))


def finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value with every NaN and infinity as None, for JSON has neither."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return value


def first_fields(expression: str) -> frozenset[tuple[str, ...]]:
    """Return the dotted paths (of at most two names) that the expression reads from its scope."""
    return frozenset(_paths(compiled(expression).parsed))


def _paths(node: Any) -> set[tuple[str, ...]]:  # noqa: ANN401 - a node of the library's own tree
    children = [child for child in node["children"] if isinstance(child, dict)]
    if node["type"] == "field":
        return {(node["value"],)}
    if node["type"] in {"subexpression", "index_expression", "projection", "value_projection", "filter_projection"}:
        return _extended(children)
    return set().union(*(_paths(child) for child in children)) if children else set()


def _extended(children: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    heads = _paths(children[0])
    if len(children) > 1 and children[1]["type"] == "field":
        return {(*head, children[1]["value"])[:2] for head in heads}
    return heads
