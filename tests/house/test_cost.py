"""The page about cost says what was counted and what is asked for it, and no number that nobody looked up."""

from dataclasses import replace

import pytest
from docs.cost import PAGE, Costs, render

KINDS = {"vendor", "reported", "unconfirmed"}


def prices():
    return [each for cloud in ("aws", "gcp") for each in Costs.kept().prices[cloud]["prices"].values()]


def test_the_page_is_what_counts_and_prices_say_now():
    assert PAGE.read_text() == render(), "run `make docs`"


@pytest.mark.parametrize("price", prices(), ids=lambda each: each["source"])
def test_a_price_has_a_source_and_one_that_was_not_confirmed_has_no_number(price):
    assert price["kind"] in KINDS
    assert price["source"].startswith("https://")
    assert (price["usd"] is None) == (price["kind"] == "unconfirmed")
    assert (price["dated"] is None) == (price["kind"] == "unconfirmed")


def test_what_is_not_measured_is_shown_as_such_and_is_in_no_sum():
    costs = Costs.kept()
    measured = replace(costs, counts={**costs.counts, "change": {**costs.counts["change"], "state_transitions": 20}})

    unknown, known = (list(each.bill("aws", list(each.aws()))) for each in (costs, measured))

    (row,) = [each for each in unknown if each[0] == "`state_transitions`"]
    assert set(row[2:]) == {"not measured yet"}
    (row,) = [each for each in known if each[0] == "`state_transitions`"]
    assert row[2:] == ["0.05", "5.00", "500.00"]
    assert unknown[-2] != known[-2]
