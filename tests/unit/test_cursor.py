"""Cursors are opaque, and only ours are taken."""

import pytest

from carapulse.kernel.cursor import CursorInvalid, cursor_of, key_of


@pytest.mark.parametrize("key", ["plan_0199", "a", "ab", "abc", "source:ü"])
def test_a_cursor_gives_its_key_back(key):
    assert key_of(cursor_of(key)) == key


def test_no_cursor_is_no_key():
    assert key_of(None) is None


@pytest.mark.parametrize("cursor", ["%", "A", "YQ==", "YQ ", "gA", "AA", "x" * 100_000, "ä"])
def test_what_no_list_gave_out_is_refused(cursor):
    with pytest.raises(CursorInvalid):
        key_of(cursor)
