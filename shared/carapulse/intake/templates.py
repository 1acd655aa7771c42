"""Templates of a route: JSON in which `{"$from": EXPRESSION}` takes a typed value out of the alert (JMESPath).

A value that is not there is a fault, unless the reference says `"default"`. Values never become text that is parsed
again: an alert's label can't turn into an expression, a field or a command.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import escaped
from carapulse.tools.expressions import first_fields, look_up

SCOPE = frozenset({"labels", "annotations", "alert", "alerts", "group", "service"})
"""What a template may refer to."""

_LONGEST_EXPRESSION = 500


def fill(template: Any, scope: Mapping[str, Any], pointer: str = "") -> tuple[Any, tuple[Fault, ...]]:  # noqa: ANN401 - any JSON value
    """Return the filled template, and a fault for each reference that found nothing."""
    faults: list[Fault] = []
    return _filled(template, scope, pointer, faults), tuple(faults)


def mistakes(template: Any, pointer: str = "") -> Iterator[Fault]:  # noqa: ANN401 - any JSON value
    """Yield what is wrong with a template whatever the alert."""
    if _is_reference(template):
        yield from _mistakes_of_reference(template, pointer)
    elif isinstance(template, dict):
        for key, item in template.items():
            yield from mistakes(item, f"{pointer}/{escaped(key)}")
    elif isinstance(template, list):
        for number, item in enumerate(template):
            yield from mistakes(item, f"{pointer}/{number}")


def _filled(template: Any, scope: Mapping[str, Any], pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401 - any JSON value
    if _is_reference(template):
        return _referred(template, scope, pointer, faults)
    if isinstance(template, dict):
        return {key: _filled(item, scope, f"{pointer}/{escaped(key)}", faults) for key, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, scope, f"{pointer}/{number}", faults) for number, item in enumerate(template)]
    return template


def _referred(reference: dict[str, Any], scope: Mapping[str, Any], pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401 - any JSON value
    expression = reference["$from"]
    found = look_up(expression, scope)
    if found is None and "default" in reference:
        return reference["default"]
    if found is None:
        faults.append(Fault(pointer=pointer, code="not-in-alert", detail=f"the alert has no {expression}"))
    return found


def _mistakes_of_reference(reference: dict[str, Any], pointer: str) -> Iterator[Fault]:
    expression = reference.get("$from")
    if not reference.keys() <= {"$from", "default"} or not isinstance(expression, str):
        yield Fault(pointer=pointer, code="not-a-reference", detail='a reference is {"$from": expression, "default"?}')
    elif len(expression) > _LONGEST_EXPRESSION:
        yield Fault(pointer=pointer, code="too-long", detail=f"at most {_LONGEST_EXPRESSION} characters")
    else:
        yield from _mistakes_of_expression(expression, pointer)


def _mistakes_of_expression(expression: str, pointer: str) -> Iterator[Fault]:
    try:
        heads = {path[0] for path in first_fields(expression) if path}
    except ValueError as error:
        yield Fault(pointer=pointer, code="not-jmespath", detail=str(error))
        return
    if {"&", "|"} & set(expression):
        return  # behind a pipe or in an expression reference, names are those of an inner value
    for head in sorted(heads - SCOPE):
        yield Fault(pointer=pointer, code="not-in-scope", detail=f"{head} is none of {', '.join(sorted(SCOPE))}")


def _is_reference(template: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(template, dict) and any(key.startswith("$") for key in template)
