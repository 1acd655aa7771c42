"""What meets an expectation, and that everything doubtful does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carapulse.tools.expectations import Comparison, Expectation, unmet

ANSWER = {
    "status": "success",
    "value": 0.5,
    "zero": 0,
    "yes": True,
    "list": [1, "a"],
    "text": "v1.4.2",
    "empty": "",
    "null": None,
    "number": "7",
    "nan": float("nan"),
    "inf": float("inf"),
    "nested": {"a": [1, {"b": True}]},
}


@pytest.mark.parametrize(
    ("path", "op", "value"),
    [
        ("status", "eq", "success"),
        ("status", "ne", "error"),
        ("value", "lt", 1),
        ("value", "le", 0.5),
        ("value", "gt", 0),
        ("value", "ge", 0.5),
        ("zero", "eq", 0),
        ("list", "contains", "a"),
        ("text", "contains", "1.4"),
        ("text", "matches", r"^v1\.\d+\.\d+$"),
        ("to_number(number)", "eq", 7),
        ("zero", "exists", None),
        ("empty", "exists", None),
        ("missing", "absent", None),
        ("null", "absent", None),
        ("nested", "eq", {"a": [1, {"b": True}]}),
    ],
)
def test_what_holds_is_met(path: str, op: str, value: Any):
    assert unmet((Expectation(path=path, op=Comparison(op), value=value),), ANSWER) == ()


@pytest.mark.parametrize(
    ("path", "op", "value"),
    [
        ("missing", "eq", "x"),
        ("missing", "ne", "x"),
        ("missing", "lt", 1),
        ("missing", "contains", "x"),
        ("missing", "matches", "x"),
        ("missing", "exists", None),
        ("null", "exists", None),
        ("zero", "absent", None),
        ("status", "lt", 1),
        ("number", "lt", 100),
        ("yes", "eq", 1),
        ("yes", "ge", 0),
        ("zero", "eq", False),
        ("nested", "eq", {"a": [1, {"b": 1}]}),
        ("nan", "lt", 1),
        ("nan", "ge", 0),
        ("nan", "ne", 1),
        ("nan", "exists", None),
        ("inf", "gt", 1),
        ("list", "contains", True),
        ("value", "contains", 0.5),
        ("value", "matches", "0"),
        ("list", "eq", [1, "a", 2]),
        ("length(status)", "eq", 6),
        ("length(value)", "exists", None),
    ],
)
def test_what_does_not_hold_or_is_doubtful_is_not_met(path: str, op: str, value: Any):
    (found,) = unmet((Expectation(path=path, op=Comparison(op), value=value),), ANSWER)

    assert found.expectation.path == path


@pytest.mark.parametrize("op", ["absent", "exists", "eq", "ne"])
def test_nothing_is_met_by_no_answer(op: str):
    value = None if op in {"absent", "exists"} else "x"

    assert unmet((Expectation(path="missing", op=Comparison(op), value=value),), None)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "a..b"},
        {"path": ""},
        {"path": "!a.b", "value": 1},
        {"path": "a", "op": "eq"},
        {"path": "a", "op": "exists", "value": 1},
        {"path": "a", "op": "lt", "value": "1"},
        {"path": "a", "op": "lt", "value": True},
        {"path": "a", "op": "matches", "value": "("},
        {"path": "a", "op": "matches", "value": 1},
        {"path": "a", "op": "matches", "value": "(?=a)"},
        {"path": "a", "op": "approximately", "value": 1},
        {"path": "a", "value": 1, "else": 2},
    ],
)
def test_an_expectation_that_can_not_be_asked_is_refused(fields: dict[str, Any]):
    with pytest.raises(ValidationError):
        Expectation.model_validate(fields)


def test_a_pattern_from_outside_can_not_stall():
    (found,) = unmet((Expectation(path="text", op=Comparison.MATCHES, value="^(a+)+$"),), {"text": "a" * 50_000 + "!"})

    assert found.found is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(JSON, st.sampled_from(list(Comparison)))
def test_any_answer_is_judged_and_never_breaks_the_judge(answer: Any, op: Comparison):
    value: Any = None if op in {Comparison.EXISTS, Comparison.ABSENT} else "a" if op is Comparison.MATCHES else 1

    assert len(unmet((Expectation(path="a.b", op=op, value=value),), answer)) in {0, 1}
