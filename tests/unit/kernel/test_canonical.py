"""One canonical form, and what an outside system says made fit for it."""

import json
import math

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from carapulse.kernel.canonical import canonical, digest, digest_of_text, storable
from carapulse.kernel.errors import Invalid

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_whatever_a_tool_says_can_be_kept_and_digested(value):
    kept = storable(value)

    assert digest(kept) == digest(json.loads(canonical(kept)))
    assert b"\\u0000" not in canonical(kept)


@given(ANYTHING)
def test_the_fast_way_writes_what_the_reference_writes(value):
    kept = storable(value)

    assert canonical(kept) == rfc8785.dumps(kept)


@given(ANYTHING, st.booleans())
def test_a_value_has_the_digest_that_its_text_has(value, is_ascii):
    kept = storable(value)

    assert digest_of_text(json.dumps(kept, ensure_ascii=is_ascii)) == digest(kept)


@pytest.mark.parametrize("text", ["9007199254740992", "[1e400]", '{"a": -9007199254740993}'])
def test_what_has_no_digest_has_none_as_text(text):
    with pytest.raises(Invalid):
        digest_of_text(text)


@settings(max_examples=500)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_fractions_are_spelled_as_the_reference_spells_them(number):
    assert canonical([number]) == rfc8785.dumps([number])


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "é"]}, "text", 0, -(2**53) + 1])
def test_what_every_reader_can_hold_stays_as_it_is(value):
    assert storable(value) == value


def test_keys_are_sorted_and_numbers_have_one_spelling():
    assert canonical({"b": 1.0, "a": 1e21}) == b'{"a":1e+21,"b":1}'


@pytest.mark.parametrize("value", [math.nan, 2**53, "\ud800"])
def test_what_json_cannot_carry_exactly_has_no_digest(value):
    with pytest.raises(Invalid):
        digest(value)
