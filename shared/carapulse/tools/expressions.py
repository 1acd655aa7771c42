"""JMESPath with two additions: a missing answer is None, and what is no number in JSON becomes None."""

import itertools
import math
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from jmespath.visitor import TreeInterpreter

_DEEPEST = 64
_MOST = 1_000_000  # values, and sixteens of characters, that one expression may put together
_FUNCTIONS = Functions()
_TOO_DEEP = f"an expression is nested at most {_DEEPEST} deep"


@lru_cache(maxsize=4096)
def compiled(expression: str) -> ParsedResult:
    """Return the parsed expression, or raise ValueError that says what is wrong with it."""
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {expression!r}") from error
    except RecursionError as error:  # the parser goes down one level for each bracket
        raise ValueError(_TOO_DEEP) from error
    if _depth(parsed.parsed) > _DEEPEST:
        raise ValueError(_TOO_DEEP)
    if _negates_too_little(parsed.parsed):
        raise ValueError(f"write !(a.b), for !a.b is read as (!a).b: {expression!r}")
    return parsed


def _depth(node: Any) -> int:  # noqa: ANN401 - a node of the library's own tree
    depth, level = 0, [node]
    while level:
        depth, level = depth + 1, [child for each in level for child in _inner(each)]
    return depth


def _inner(node: Any) -> list[Any]:  # noqa: ANN401 - a node of the library's own tree
    return [child for child in node["children"] if isinstance(child, dict)]


def _negates_too_little(node: Any) -> bool:  # noqa: ANN401 - a node of the library's own tree
    children = _inner(node)
    here = node["type"] == "subexpression" and children[0]["type"] == "not_expression"
    return here or any(_negates_too_little(child) for child in children)


def look_up(expression: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what the expression finds in a JSON value; None where it finds nothing or can't be applied.

    Nor does it find what is larger by far than anything that it was given.
    """
    try:
        return finite(_Frugal().visit(compiled(expression).parsed, value))
    except (JMESPathError, TypeError, OverflowError):  # it compares "6" with 5, and rounds infinity, as Python does
        return None


class _Frugal(TreeInterpreter):
    """Counts what an expression puts together, for `[@,@]|[@,@]|...` doubles at every bar: thirty fill any memory."""

    def __init__(self) -> None:
        super().__init__()
        self._left = _MOST

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:  # noqa: ANN401 - as the library has it
        return self._spent(super().visit_multi_select_list(node, value))

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:  # noqa: ANN401 - as the library has it
        return self._spent(super().visit_multi_select_dict(node, value))

    def visit_flatten(self, node: Any, value: Any) -> Any:  # noqa: ANN401 - as the library has it
        merged = super().visit_flatten(node, value)
        self._spend(len(merged or ()))
        return merged

    def visit_function_expression(self, node: Any, value: Any) -> Any:  # noqa: ANN401 - as the library has it
        given = [self.visit(child, value) for child in node["children"]]
        if node["value"] == "join" and [type(each) for each in given] == [str, list]:
            self._spend(len(given[0]) * len(given[1]) // 16)
        found = _FUNCTIONS.call_function(node["value"], given)
        return self._spent(found) if isinstance(found, str) else found

    def _spent(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        waiting = [value]
        while waiting:
            each = waiting.pop()
            self._spend(1 + (len(each) // 16 if isinstance(each, str) else 0))
            if isinstance(each, dict | list):
                waiting.extend(each.values() if isinstance(each, dict) else each)
        return value

    def _spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise JMESPathError("the expression makes too much of what it is given")


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
    """Return the paths (of at most two names) that the expression reads from its scope; () is the whole scope."""
    return frozenset(_paths(compiled(expression).parsed))


def _paths(node: Any) -> set[tuple[str, ...]]:  # noqa: ANN401 - a node of the library's own tree
    """Return what a node's answer is made of, as paths from where the node stands."""
    children = _inner(node)
    match node["type"]:
        case "field":
            return {(node["value"],)}
        case "current" | "identity":
            return {()}
        case "expref":  # stands where the elements of another argument are, and that argument has told its own path
            return set()
        case "projection" | "value_projection" | "filter_projection" | "flatten":  # whatever is in there
            return _paths(children[0])
        case "subexpression" | "pipe" | "index_expression":
            return _in_turn(children)
        case _:
            return set().union(*map(_paths, children))


def _in_turn(children: list[Any]) -> set[tuple[str, ...]]:
    """Return the paths of nodes of which each stands where the one before it led."""
    heads = _paths(children[0])
    for before, child in itertools.pairwise(children):
        tails = _paths(child)
        if not _leads(before):
            break  # what was put together anew has names of its own
        if tails:  # an index leads no further than to its list, and a literal nowhere
            heads = {(*head, *tail)[:2] for head in heads for tail in tails}
    return heads


def _leads(node: Any) -> bool:  # noqa: ANN401 - a node of the library's own tree
    """Say whether a node's answer is what stands at its path, rather than something made of it."""
    if node["type"] in {"subexpression", "pipe", "index_expression", "or_expression", "and_expression"}:
        return all(map(_leads, _inner(node)))
    return node["type"] in {"field", "current", "identity", "index"}
