"""A change names the state that it is about, and is refused for any other."""

import pytest

from carapulse.kernel.precondition import WHICHEVER, Match, PreconditionFailed, etag_of
from carapulse.kernel.record import Record


class Lamp(Record):
    name: str
    lit: bool = False


ONE, LIT = Lamp(name="one"), Lamp(name="one", lit=True)


def test_a_tag_is_quoted_and_changes_with_what_is_shown():
    assert etag_of(ONE) == etag_of(Lamp(name="one"))
    assert etag_of(ONE) != etag_of(LIT)
    assert etag_of(ONE).strip('"').isascii()
    assert etag_of(ONE)[0] == etag_of(ONE)[-1] == '"'


@pytest.mark.parametrize("header", [etag_of(ONE), f'"other", {etag_of(ONE)}', "*", " * "])
def test_a_tag_that_was_read_lets_the_change_through(header):
    Match.parsed(header).check(ONE)


@pytest.mark.parametrize("header", [etag_of(LIT), f"W/{etag_of(ONE)}", etag_of(ONE).strip('"'), "", '""'])
def test_any_other_tag_does_not(header):
    with pytest.raises(PreconditionFailed):
        Match.parsed(header).check(ONE)


def test_what_must_not_exist_must_not():
    Match(absent=True).check(None)

    with pytest.raises(PreconditionFailed):
        Match(absent=True).check(ONE)


def test_a_tag_matches_nothing_where_nothing_is():
    WHICHEVER.check(None)

    with pytest.raises(PreconditionFailed):
        Match.parsed(etag_of(ONE)).check(None)
