"""Claims: the demo succeeds only if every one of them held."""

import pytest

from carapulse.surfaces.demo.claims import ClaimFailedError, Claims


class Nobody:
    """An audience that does not look."""

    def chapter(self, number, name):
        """Hear nothing."""

    def claim(self, claim):
        """Hear nothing."""


def test_a_demo_that_claims_nothing_has_not_held():
    assert Claims(Nobody()).document()["ok"] is False


def test_what_held_is_kept_with_its_chapter_and_what_was_seen():
    claims = Claims(Nobody())

    with claims.chapter("One"):
        claims.check("two and two are four", 2 + 2 == 4, 4)

    document = claims.document()
    assert document["ok"] is True
    assert [document["claims"][0][name] for name in ("chapter", "claim", "held", "seen")] == [
        "One",
        "two and two are four",
        True,
        "4",
    ]


def test_one_claim_that_does_not_hold_ends_it():
    claims = Claims(Nobody())

    with pytest.raises(ClaimFailedError), claims.chapter("One"):
        claims.check("two and two are five", 2 + 2 == 5, 4)

    assert claims.document()["ok"] is False
    assert [chapter["name"] for chapter in claims.document()["chapters"]] == ["One"]
