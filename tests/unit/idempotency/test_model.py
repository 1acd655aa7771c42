"""Which text is a key, and which answers are kept."""

import pytest

from carapulse.idempotency.errors import KeyMalformed
from carapulse.idempotency.model import LARGEST_ANSWER, Answer, Given, Withheld, read_key


def given(status, *, size=10, permission="plan:create", is_secret=False):
    answer = Answer(status=status, headers={}, body="")
    return Given(answer=answer, size=size, permission=permission, is_secret=is_secret)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("a", "a"),
        ('"a"', "a"),
        ('"a;b\\"\\\\"', 'a;b"\\'),
        ("x" * 255, "x" * 255),
        ('"' + '\\"' * 255 + '"', '"' * 255),
    ],
    ids=lambda text: text[:12],
)
def test_a_key_is_what_stands_between_the_quotation_marks(written, key):
    assert read_key([written]) == key


@pytest.mark.parametrize("written", [["a", "a"], ['"' + "x" * 256 + '"'], ["a\n"], ["\x7f"], ['"a" '], ["a,b"], ["é"]])
def test_what_is_no_key_or_more_than_one_is_refused(written):
    with pytest.raises(KeyMalformed):
        read_key(written)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
def test_what_may_be_answered_otherwise_the_next_moment_is_not_kept(status):
    assert given(status).is_passing


@pytest.mark.parametrize("status", [403, 409, 412, 428])
def test_what_depends_on_how_things_are_is_kept_only_if_something_was_written(status):
    assert (given(status).is_passing, given(status).depends) == (False, True)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 404, 413, 422])
def test_what_stays_true_is_kept(status):
    assert (given(status).is_passing, given(status).depends, given(status).withheld) == (False, False, None)


def test_what_no_guard_let_through_is_not_kept():
    assert given(404, permission=None).is_passing


def test_a_secret_and_what_is_too_large_are_withheld():
    assert given(201, is_secret=True).withheld is Withheld.SECRET
    assert given(422, is_secret=True).withheld is None
    assert given(201, size=LARGEST_ANSWER).withheld is None
    assert given(201, size=LARGEST_ANSWER + 1).withheld is Withheld.SIZE
