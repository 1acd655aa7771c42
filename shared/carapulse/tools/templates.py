"""Templates: JSON with references in it, filled from typed values. A value never becomes text that is parsed again.

* `{"$from": EXPRESSION}` is the value that JMESPath finds in the scope. A null leaves the key or item out.
* `{"$from": EXPRESSION, "$at": EXPRESSION}` takes from a mapping of the connection the entry that the input names.
* `{"$fields": EXPRESSION}` is a mapping made of a list of `{name, secret}` or `{name, generate}`: secrets that the
  connection declares, or fresh random ones. They exist only while the request is made.

`kept` are directives of somebody who comes later: they are left as they stand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from carapulse.tools.errors import ConnectionForbids
from carapulse.tools.expressions import compiled, look_up

_DIRECTIVES = ({"$from"}, {"$from", "$at"}, {"$fields"})
_NONE: frozenset[str] = frozenset()


def no_secrets(entry: dict[str, Any]) -> str:
    """Refuse to make up a secret: for templates that may not hold any."""
    raise ConnectionForbids("secrets have no place in this template", name=entry.get("name"))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template may refer to."""

    input: Any
    context: Any = field(default_factory=dict)
    tenant: str | None = None
    connection: Any = field(default_factory=dict)
    captured: Any = None
    output: Any = None
    prior: Any = None
    secret: Callable[[dict[str, Any]], str] = no_secrets

    def find(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return what the expression finds, or None."""
        return look_up(expression, {name: getattr(self, name) for name in NAMES})


NAMES = frozenset({"input", "context", "tenant", "connection", "captured", "output", "prior"})


def is_directive(template: Any, kept: frozenset[str] = _NONE) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether this is a reference rather than a literal."""
    return isinstance(template, dict) and any(key.startswith("$") for key in template.keys() - kept)


def filled(template: Any, scope: Scope, kept: frozenset[str] = _NONE) -> Any:  # noqa: ANN401 - any JSON value
    """Return the template with every reference replaced by its value."""
    if is_directive(template, kept):
        return _referred(template, scope)
    if isinstance(template, dict):
        items = ((key, item, filled(item, scope, kept)) for key, item in template.items())
        return {key: value for key, item, value in items if not (value is None and is_directive(item, kept))}
    if isinstance(template, list):
        values = ((item, filled(item, scope, kept)) for item in template)
        return [value for item, value in values if not (value is None and is_directive(item, kept))]
    return template


def _referred(template: dict[str, Any], scope: Scope) -> Any:  # noqa: ANN401 - any JSON value
    if "$fields" in template:
        entries = scope.find(template["$fields"]) or []
        return {entry["name"]: scope.secret(entry) for entry in entries}
    found = scope.find(template["$from"])
    if "$at" not in template:
        return found
    name = scope.find(template["$at"])
    if not isinstance(found, dict) or name not in found:
        raise ConnectionForbids("the connection does not declare this", name=name)
    return found[name]


def mistakes(template: Any, kept: frozenset[str] = _NONE) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Yield what is wrong with the references of a template, in words."""
    if is_directive(template, kept):
        yield from _mistakes_of_directive(template)
    elif isinstance(template, dict | list):
        for item in template.values() if isinstance(template, dict) else template:
            yield from mistakes(item, kept)


def _mistakes_of_directive(template: dict[str, Any]) -> Iterator[str]:
    if set(template) not in _DIRECTIVES:
        yield f"not a reference: keys {sorted(template)}"
        return
    for expression in template.values():
        try:
            compiled(expression)
        except (ValueError, TypeError) as error:
            yield str(error)


def expressions(template: Any, kept: frozenset[str] = _NONE) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Yield every expression that the template holds."""
    if is_directive(template, kept):
        yield from (value for value in template.values() if isinstance(value, str))
    elif isinstance(template, dict | list):
        for item in template.values() if isinstance(template, dict) else template:
            yield from expressions(item, kept)
