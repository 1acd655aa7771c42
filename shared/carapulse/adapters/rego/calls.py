"""Which functions a compiled set of rules calls, read from the compiler's own plan.

The plan is walked in memory: writing it to a file (`save_bundle`) corrupts memory in regopy 1.5.2 when another C++
extension was loaded first, and its own name of a node's kind asks for a buffer that is too short.
"""

import ctypes
from collections.abc import Iterator
from typing import Any

from regopy import Bundle
from regopy.rego_shared import rego, rego_bundle_node, rego_node_get, rego_node_size, rego_node_value

# What regopy has, OPA means the same by, and depends on nothing but its arguments. Neither trim_space, which reads the
# escapes of its text once more than others do, nor upper, which makes other escapes of them.
BUILTINS = frozenset({
    "abs", "and", "array.concat", "ceil", "concat", "contains", "count", "div", "endswith", "eq", "equal", "floor",
    "gt", "gte", "internal.member_2", "internal.member_3", "is_array", "is_boolean", "is_null", "is_number",
    "is_object", "is_set", "is_string", "lower", "lt", "lte", "max", "min", "minus", "mul", "neq", "object.get",
    "object.keys", "object.union", "or", "plus", "rem", "sort", "split", "sprintf", "startswith", "sum",
})  # fmt: skip

_LONGEST_KIND = 256


def forbidden_calls(bundle: Bundle) -> tuple[str, ...]:
    """Return the functions that are called but neither defined by the rules nor on the closed list."""
    called, defined = set[str](), set[str]()
    for kind, name in _functions(rego_bundle_node(bundle._impl)):  # noqa: SLF001 - regopy's own access to it is broken
        (called if kind == "rego-callstmt" else defined).add(name)
    return tuple(sorted(called - defined - BUILTINS))


def _functions(root: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a C pointer
    waiting = [root]
    while waiting:
        node = waiting.pop()
        children = [rego_node_get(node, index) for index in range(rego_node_size(node))]
        kind = _kind(node)
        if kind in {"rego-callstmt", "rego-function"}:
            yield kind, rego_node_value(children[0])
        waiting.extend(children)


def _kind(node: Any) -> str:  # noqa: ANN401 - a C pointer
    name = ctypes.create_string_buffer(_LONGEST_KIND)
    rego.regoNodeTypeName(node, name, _LONGEST_KIND)
    return name.value.decode()
