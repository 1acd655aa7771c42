"""The page about cost says what was counted and what is asked for it, and no number that nobody looked up."""

import re
from dataclasses import replace

import pytest
from docs.cost import PAGE, render
from docs.costs_kept import ROOT, Costs
from docs.on_top import extras
from infra.aws.template import assembled

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


def test_what_stands_by_is_as_much_as_the_template_makes():
    made = [(each["Type"], each.get("Properties", {})) for each in assembled()["Resources"].values()]
    zones = [len(told["SubnetIds"]) for kind, told in made if kind == "AWS::EC2::VPCEndpoint" and "SubnetIds" in told]
    secrets = [told for kind, told in made if kind == "AWS::SecretsManager::Secret" or "MasterUserSecret" in told]
    standing = {line.price: line.monthly for line in Costs.kept().aws("carried")}

    assert standing["interface_endpoint"] == sum(zones)
    assert standing["secrets"] == len(secrets)
    assert f" {len(secrets)} · secrets" in PAGE.read_text()


def on_top(costs):
    """Return what a lot of each thing that may come on top costs, on AWS and on Google's cloud."""
    return {each.what: each.row(costs)[-2:] for each in extras(costs)}


def the_row(rows, word):
    (row,) = [row for what, row in rows.items() if word in what]
    return row


def dearer(price, times):
    costs = Costs.kept()
    of_aws = costs.prices["aws"]
    changed = {**of_aws["prices"][price], "usd": of_aws["prices"][price]["usd"] * times}
    prices = {**costs.prices, "aws": {**of_aws, "prices": {**of_aws["prices"], price: changed}}}
    return replace(costs, prices=prices)


@pytest.mark.parametrize(("price", "more"), [("websocket_messages", 48_400), ("websocket_minutes", 9_600 * 0.25)])
def test_a_client_pays_for_what_it_is_told_and_for_how_long_it_is_connected(price, more):
    before, after = (the_row(on_top(costs), "one client") for costs in (Costs.kept(), dearer(price, 1001)))

    assert float(after[0].replace(",", "")) - float(before[0]) == pytest.approx(more / 1e6 * 1000, abs=0.01)


def test_whoever_waits_longer_for_those_who_are_told_pays_more_and_no_other():
    costs = Costs.kept()
    patient = replace(costs, assumed={**costs.assumed, "receiver_seconds": 20})

    before, after = on_top(costs), on_top(patient)
    told = "1,000 times a message to a channel"

    assert [what for what in before if before[what] != after[what]] == [told]
    assert [float(each) for each in after[told]] > [float(each) for each in before[told]]


def test_whoever_tells_clients_is_at_work_for_as_long_as_the_function_says():
    source = (ROOT / "functions" / "pusher" / "main.py").read_text()

    said = re.findall(r"^SECONDS: Final = ([0-9.]+)$", source, re.MULTILINE)

    assert [float(each) for each in said] == [Costs.kept().counts["followed"]["pusher_seconds_a_minute"]]


def test_the_database_of_google_is_paid_for_in_as_many_zones_as_it_is_deployed_to():
    deployed = re.findall(r'availability_type += "(\w+)"', (ROOT / "infra" / "gcp" / "database.tf").read_text())

    assert [{"ZONAL": 1, "REGIONAL": 2}[each] for each in deployed] == [Costs.kept().assumed["cloud_sql"]["zones"]]
