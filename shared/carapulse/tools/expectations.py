"""Expectations: what an answer must hold. What is missing, of the wrong type or not a number never passes."""

from enum import StrEnum
from typing import Any, Self

import jsonschema_rs
from pydantic import Field, JsonValue, model_validator

from carapulse.kernel.record import Record
from carapulse.tools.expressions import compiled, look_up

_LINEAR = jsonschema_rs.RegexOptions()  # linear time: a pattern from outside can't stall a worker


class Comparison(StrEnum):
    """How what was found is held against what was expected."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    CONTAINS = "contains"
    MATCHES = "matches"
    EXISTS = "exists"
    ABSENT = "absent"


_VALUELESS = {Comparison.EXISTS, Comparison.ABSENT}
_ORDERED = {Comparison.LT, Comparison.LE, Comparison.GT, Comparison.GE}


class Expectation(Record):
    """One thing that must hold: the place in the answer (JMESPath), the comparison, the value."""

    path: str = Field(min_length=1, max_length=500)
    op: Comparison = Comparison.EQ
    value: JsonValue = None

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        compiled(self.path)
        if self.op in _VALUELESS and self.value is not None:
            raise ValueError(f"{self.op} takes no value")
        if self.op not in _VALUELESS and self.value is None:
            raise ValueError(f"{self.op} needs a value")
        if self.op in _ORDERED and not _is_number(self.value):
            raise ValueError(f"{self.op} needs a number")
        if self.op is Comparison.MATCHES:
            _pattern(self.value)
        return self


class Unmet(Record):
    """An expectation that did not hold, and what was found instead."""

    expectation: Expectation
    found: Any = None
    reason: str


def unmet(expectations: tuple[Expectation, ...], output: Any) -> tuple[Unmet, ...]:  # noqa: ANN401 - any JSON value
    """Return what did not hold. An output of None (unparsable, cut off, empty) meets nothing."""
    if output is None:
        return tuple(Unmet(expectation=each, reason="there is no answer to look into") for each in expectations)
    judged = ((each, look_up(each.path, output)) for each in expectations)
    return tuple(
        Unmet(expectation=each, found=found, reason=f"found {found!r:.200}, expected {each.op} {each.value!r:.200}")
        for each, found in judged
        if not _met(each, found)
    )


def _met(expectation: Expectation, found: Any) -> bool:  # noqa: ANN401 - any JSON value
    if expectation.op is Comparison.ABSENT:
        return found is None
    if found is None:
        return False
    if expectation.op in _ORDERED:
        return _is_number(found) and _in_order(expectation.op, found, expectation.value)
    return _compared(expectation, found)


def _compared(expectation: Expectation, found: Any) -> bool:  # noqa: ANN401 - any JSON value
    match expectation.op:
        case Comparison.EQ:
            return same(found, expectation.value)
        case Comparison.NE:
            return not same(found, expectation.value)
        case Comparison.CONTAINS:
            return _contains(found, expectation.value)
        case Comparison.MATCHES:
            return isinstance(found, str) and _pattern(expectation.value).is_valid(found)
        case _:
            return True


def _in_order(op: Comparison, found: Any, value: Any) -> bool:  # noqa: ANN401 - checked to be numbers
    answers = {
        Comparison.LT: found < value,
        Comparison.LE: found <= value,
        Comparison.GT: found > value,
        Comparison.GE: found >= value,
    }
    return bool(answers[op])


def _contains(found: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if isinstance(found, str):
        return isinstance(value, str) and value in found
    return isinstance(found, list) and any(same(item, value) for item in found)


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether two JSON values are equal; unlike Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    return bool(one == other)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pattern(value: Any) -> jsonschema_rs.Draft202012Validator:  # noqa: ANN401 - checked here
    if not isinstance(value, str):
        raise ValueError("matches needs a pattern")  # noqa: TRY004 - pydantic reports ValueErrors
    try:
        return jsonschema_rs.Draft202012Validator({"type": "string", "pattern": value}, pattern_options=_LINEAR)
    except jsonschema_rs.ValidationError as error:
        raise ValueError(f"not a pattern: {value!r}") from error
