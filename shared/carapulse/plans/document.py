"""A version as the JSON object that is kept and digested.

A version never changes, and neither does its digest. So a field that came later is left out where it says nothing: a
version that was approved before there was such a field still has the digest that was approved.
"""

from typing import Any

from carapulse.kernel.record import Record

_LATER: dict[str, Any] = {"groups": {}, "requested_for": None, "authors": []}
_LATER_IN_CONSTRAINTS: dict[str, Any] = {"max_concurrency": 1, "on_failure": "undo"}
_LATER_IN_STEPS: dict[str, Any] = {
    "when": None,
    "input_from": {},
    "wait": None,
    "deadline_s": None,
    "point_of_no_return": False,
    "group": None,
}


def document_of(version: Record) -> dict[str, Any]:
    """Return the JSON object of a version of a plan."""
    whole = _without(version.model_dump(mode="json"), _LATER)
    constraints = _without(whole["constraints"], _LATER_IN_CONSTRAINTS)
    return {**whole, "constraints": constraints, "steps": [_without(step, _LATER_IN_STEPS) for step in whole["steps"]]}


def _without(value: dict[str, Any], silent: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in silent or each != silent[name]}
