"""Reading JSON from strangers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carapulse.wire import MalformedJson, read_json

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner)
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_what_is_written_plainly_is_read_back(value):
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "\\u0061": 2}}',
        b"[NaN]",
        b"[-Infinity]",
        b"[1e999]",
        b"[9007199254740992]",
        b"[" + b"1" * 100_000 + b"]",
        b'["\\u0000"]',
        b'{"\\u0000": 1}',
        b'["\\ud800"]',
        b'["\xff"]',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 65 + b"]" * 65,
        b"[" * 500_000 + b"]" * 500_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_two_readers_could_read_differently_is_refused(body):
    with pytest.raises(MalformedJson):
        read_json(body)


def test_a_fault_says_where_it_is():
    with pytest.raises(MalformedJson) as refused:
        read_json(b'{\n  "a": ?}')

    assert refused.value.facts == {"line": 2, "column": 8}


def test_sixty_four_levels_are_read():
    assert read_json(b"[" * 64 + b"]" * 64)
