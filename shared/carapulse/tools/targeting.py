"""Whom a use of an action touches: stable names that locks can be taken on."""

from typing import Any
from urllib.parse import quote

from carapulse.tools.manifest import TargetRules
from carapulse.tools.model import Targets
from carapulse.tools.templates import Scope

_EVERYTHING = {"*", "all"}


def targets_of(tool: str, rules: TargetRules, scope: Scope) -> Targets:
    """Return the named targets. A missing or all-embracing part of the input makes them unbounded."""
    unbounded = any(bool(scope.find(expression)) for expression in rules.unbounded)
    names: list[str] = []
    for expressions in rules.names:
        parts = [(expression, scope.find(expression)) for expression in expressions]
        unbounded = unbounded or any(_open(expression, value) for expression, value in parts)
        names += [":".join([tool, *combination]) for combination in _combined([value for _, value in parts])]
    return Targets(names=tuple(dict.fromkeys(names)), unbounded=unbounded or not names)


def _open(expression: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if value is None or value == []:
        return "input." in expression
    values = value if isinstance(value, list) else [value]
    return any(isinstance(each, str) and each.strip().lower() in _EVERYTHING for each in values)


def _combined(values: list[Any]) -> list[list[str]]:
    combinations: list[list[str]] = [[]]
    for value in values:
        each = [_name(item) for item in value] if isinstance(value, list) else [_name(value)]
        combinations = [[*before, name] for before in combinations for name in each]
    return combinations


def _name(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return "-" if value is None else quote(str(value), safe="/@.")
