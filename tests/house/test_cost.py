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


def test_only_what_a_machine_carries_pays_for_transitions_and_they_are_in_the_sum():
    costs = Costs.kept()
    dearer = replace(costs, counts={**costs.counts, "carried": {**costs.counts["carried"], "state_transitions": 40}})

    alone, carried, more = (
        list(each.bill("aws", list(each.aws(driver))))
        for each, driver in ((costs, "change"), (costs, "carried"), (dearer, "carried"))
    )

    assert [each for each in alone if each[0] == "`state_transitions`"] == []
    (row,) = [each for each in more if each[0] == "`state_transitions`"]
    assert row[2:] == ["0.1", "10.00", "1,000.00"]
    assert carried[-2] != more[-2]
