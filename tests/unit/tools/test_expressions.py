"""What an expression reads is known before it is asked."""

import math
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carapulse.tools.expressions import compiled, first_fields, holds, look_up

NAMES = st.sampled_from(["a", "b", "c", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["@", "`1`", "'a'", "[]", "*", "steps", "steps.a", 'steps."b"']),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"{two[0]} | {two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) || ({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"[{two[0]}, {two[1]}]"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]})[?{two[1]}]"),
        st.tuples(inner, NAMES).map(lambda two: f"({two[0]}).{two[1]}"),
        st.tuples(inner, NAMES).map(lambda two: f"({two[0]}).{{{two[1]}: @, b: {two[1]}}}"),
        inner.map(lambda one: f"({one})[0]"),
        inner.map(lambda one: f"({one}).*"),
        inner.map(lambda one: f"({one})[]"),
        inner.map(lambda one: f"values({one})"),
        inner.map(lambda one: f"map(&({one}), [@])"),
        inner.map(lambda one: f"{{x: {one}}}"),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("input.a.b", {("input", "a")}),
        ("input.a[0].b", {("input", "a")}),
        ("input.a[?b == c].d", {("input", "a")}),
        ("not_null(input.a, input.b)", {("input", "a"), ("input", "b")}),
        ("sort_by(input.a, &b)", {("input", "a")}),
        ("input | a", {("input", "a")}),
        ("(input.a || input.b).c", {("input", "a"), ("input", "b")}),
        ("input.*.a", {("input",)}),
        ("values(input)[0].a", {("input",)}),
        ("{a: input} | a.b", {("input",)}),
        ("@.input.a", {("input", "a")}),
        ("keys(@)", {()}),
        ("*.a", {()}),
        ("`[1]`", set()),
    ],
)
def test_what_is_read_is_told_by_two_names(expression, paths):
    assert first_fields(expression) == paths


@settings(deadline=None)
@given(EXPRESSIONS, st.fixed_dictionaries(dict.fromkeys("abc", JSON)), JSON)
def test_what_is_not_told_makes_no_difference(expression, steps, other):
    paths = first_fields(expression)
    told = {path[1] for path in paths if path[:1] == ("steps",) and len(path) == 2}
    if () in paths or ("steps",) in paths:
        return

    for name in set("abc") - told:
        assert look_up(expression, {"steps": {**steps, name: other}}) == look_up(expression, {"steps": steps})


@pytest.mark.parametrize("expression", ["!" * 499 + "a", "(" * 900 + "a" + ")" * 900, "a" + "[?a" * 80 + "]" * 80])
def test_what_is_nested_without_end_is_no_expression(expression):
    with pytest.raises(ValueError, match="nested"):
        compiled(expression)


@pytest.mark.parametrize("expression", ["n > `5`", "`5` <= n", "[n, `1`] | [?@ > 'a']", "ceil(big)"])
def test_what_can_t_be_compared_or_counted_finds_nothing(expression):
    assert look_up(expression, {"n": "6", "big": math.inf}) is None
    assert not holds(expression, {"n": "6", "big": math.inf})


@pytest.mark.parametrize(
    "part",
    [
        "[@,@]",
        "{a:@,b:@}",
        "[@,@][]",
        "map(&`[0,0]`,to_array(@))[]",
        "to_string([@])",
        "join(to_string(@),['a','a','a'])",
    ],
)
def test_what_doubles_at_every_bar_finds_nothing_before_it_fills_memory(part):
    tracemalloc.start()
    try:
        found = look_up("|".join([part] * 40), [1, 2])
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found is None
    assert most < 200_000_000


def test_what_puts_much_together_once_finds_it():
    given = [{"name": "x" * 100, "size": number} for number in range(20_000)]

    assert look_up("[].{n: name, s: [size, `1`]} | length(@)", given) == 20_000
