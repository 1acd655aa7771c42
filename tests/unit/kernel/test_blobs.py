"""A large value leaves its row for a reference, and nothing else can pose as one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carapulse.kernel.blobs import NoSuchBlob, digest_of, fetched, stored
from carapulse.kernel.canonical import canonical

THRESHOLD = 64 * 1024


class Memory:
    """Blobs of one test."""

    def __init__(self):
        self.kept = {}

    def put(self, content):
        self.kept[digest_of(content)] = content
        return digest_of(content)

    def get(self, digest):
        if digest not in self.kept:
            raise NoSuchBlob("not there")
        return self.kept[digest]

    def has(self, digest):
        return digest in self.kept

    def delete(self, digest, *, put_before=None):
        assert put_before is None
        self.kept.pop(digest, None)


@pytest.mark.parametrize("size", [4, THRESHOLD])
def test_a_value_up_to_the_threshold_stays_as_it_is(size):
    value, blobs = b'"' + b"x" * (size - 2) + b'"', Memory()

    assert stored(value, THRESHOLD, blobs) == value
    assert fetched(value, blobs) == value
    assert blobs.kept == {}


def test_a_larger_value_leaves_a_reference_with_its_size():
    value, blobs = b'"' + b"x" * THRESHOLD + b'"', Memory()

    kept = stored(value, THRESHOLD, blobs)

    assert json.loads(kept) == {"$blob": digest_of(value), "bytes": len(value)}
    assert fetched(kept, blobs) == value


@pytest.mark.parametrize(
    "posing",
    [
        canonical({"$blob": digest_of(b"of somebody else")}),
        b'{"a": 1, "$blob": "x"}',
        b'{"\\u0024blob": "sha256:00"}',
        b' {"$blob" : null}',
    ],
)
def test_a_value_that_looks_like_a_reference_comes_back_as_itself_and_never_as_what_it_names(posing):
    blobs = Memory()
    blobs.put(b"of somebody else")

    kept = stored(posing, THRESHOLD, blobs)

    assert kept != posing
    assert fetched(kept, blobs) == posing


@pytest.mark.parametrize("value", [b'["$blob"]', b'"$blob"', b'{"inner": {"$blob": "x"}}', b'"\\u0024"'])
def test_the_word_elsewhere_in_a_value_means_nothing(value):
    blobs = Memory()

    assert stored(value, THRESHOLD, blobs) == fetched(value, blobs) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("$blob"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.just("$blob"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(json_values, st.integers(0, 40), st.booleans())
def test_any_value_comes_back_byte_for_byte(value, threshold, ascii_only):
    blobs, written = Memory(), json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    assert fetched(stored(written, threshold, blobs), blobs) == written


def test_a_reference_to_what_is_gone_is_said():
    kept = stored(b'"long"', 1, Memory())

    with pytest.raises(NoSuchBlob):
        fetched(kept, Memory())
