"""What counts as the same alert, which route it takes, and when it is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.intake import NOON, a_payload, a_route, a_source

from carapulse.intake.alertmanager import read_notification
from carapulse.intake.alerts import Alert, affected_services, headline, key_of

LABELS = {"alertname": "HighErrorRate", "service": "checkout", "cluster": "eu-1", "namespace": "shop"}


def of(payload, source=None):
    return affected_services(source or a_source(), read_notification(payload))


def an_alert(payload=None, source=None, service="checkout"):
    source = source or a_source()
    affected = next(each for each in of(payload or a_payload(), source) if each.service == service)
    return Alert.opened(affected, source, "delivery_1", NOON, trusted=True)


def test_a_group_of_three_services_is_three_alerts():
    found = of(a_payload())

    assert [(each.service, len(each.instances)) for each in found] == [("cart", 1), ("checkout", 2), ("payments", 1)]


def test_times_values_and_fingerprints_do_not_make_another_alert():
    payload = a_payload("firing_one_service")
    before = [each.key for each in of(payload)]
    for number, alert in enumerate(payload["alerts"]):
        alert |= {"startsAt": f"2026-12-0{number + 1}T00:00:00Z", "fingerprint": f"{number}", "annotations": {"v": "9"}}
        alert["labels"] |= {"pod": f"other-{number}", "instance": f"10.0.0.{number}", "severity": "warning"}

    assert [each.key for each in of(payload)] == before


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name not in LABELS and name != "region"), st.text()))
def test_only_agreed_labels_count(other):
    source = a_source(service_labels=["service"])

    assert key_of(source, LABELS | other) == key_of(source, LABELS)


@pytest.mark.parametrize("name", ["alertname", "service", "cluster", "namespace", "region"])
def test_each_agreed_label_makes_another_alert(name):
    assert key_of(a_source(), LABELS | {name: "another"}) != key_of(a_source(), LABELS)


def test_two_sources_never_share_an_alert():
    other = a_source().model_copy(update={"id": "src_2"})

    assert key_of(other, LABELS) != key_of(a_source(), LABELS)


def test_the_first_agreed_label_that_is_not_empty_names_the_service():
    assert a_source().service_of({"service": "", "app": "shop", "job": "node"}) == "shop"
    assert a_source().service_of({"pod": "x"}) is None


def test_a_label_may_be_matched_by_an_expression_that_fits_all_of_it():
    source = a_source(
        routes=[a_route(match={"service": {"regex": "check.*|cart"}, "severity": "critical"}).model_dump()]
    )

    fits = [bool(source.route_for({"service": name, "severity": "critical"})) for name in ("checkout", "cart", "cart2")]

    assert fits == [True, True, False]


def test_an_alert_that_no_route_fits_is_unmatched():
    alert = an_alert(source=a_source(routes=[a_route(match={"alertname": "Other"}).model_dump()]))

    assert (alert.status, alert.route) == ("unmatched", None)


def test_a_route_is_taken_if_any_label_set_fits_it():
    route = a_route(match={"pod": "checkout-7d9f-b2"}).model_dump()
    alert = an_alert(source=a_source(routes=[route]))

    assert (alert.status, alert.labels["pod"]) == ("open", "checkout-7d9f-b2")


def test_an_alert_is_over_when_its_last_label_set_is():
    alert = an_alert()
    partly, gone = a_payload("firing_one_pod_resolved"), a_payload("resolved")

    after_one = alert.seen(next(each for each in of(partly) if each.service == "checkout"), NOON)
    after_all = after_one.seen(next(each for each in of(gone) if each.service == "checkout"), NOON)

    assert [len(each.firing) for each in (alert, after_one, after_all)] == [2, 1, 0]


def test_a_label_set_that_a_delivery_does_not_mention_stays_as_it_was():
    alert = an_alert()
    payload = a_payload("firing_one_service")
    payload["alerts"] = [payload["alerts"][0] | {"status": "resolved"}]

    after = alert.seen(of(payload)[0], NOON)

    assert after.firing == {a_payload("firing_one_service")["alerts"][1]["fingerprint"]}


@pytest.mark.parametrize("word", ["critical", "emergency", "high", "delete", ""])
def test_no_word_drops_an_alert(word):
    payload = a_payload("firing_one_service")
    for alert in payload["alerts"]:
        alert["labels"] |= {"severity": word}

    assert an_alert(payload).status == "open"


def test_a_headline_is_one_short_line():
    payload = a_payload("firing_one_service")
    payload["alerts"][0]["annotations"]["summary"] = "it\nis \x1b[31mred" + "!" * 400
    (affected,) = of(payload)

    line = headline("HighErrorRate", "checkout", affected.instances[0])

    assert line.startswith("HighErrorRate on checkout: it is  [31mred")
    assert line.isprintable()
    assert len(line) == 200
