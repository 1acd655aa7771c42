"""However often and in whatever order an ailing service is reported, it is one alert until it is over."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.builders.intake import a_payload, a_route


@pytest.fixture
def source(site):
    return site.register().json()


def statuses(site, **filters):
    return sorted((alert["service"], alert["status"]) for alert in site.alerts(**filters))


def kinds(site, source):
    return [kind for kind, _ in site.events(source["source"]["id"])]


def send(site, source, payload, **about):
    return site.send(source, json.dumps(payload).encode(), secret=source["secret"], **about)


def test_a_group_of_three_services_becomes_three_alerts(site, source):
    site.report(source)

    site.work_off()

    assert statuses(site) == [("cart", "open"), ("checkout", "open"), ("payments", "open")]
    assert kinds(site, source).count("AlertOpened") == 3


def test_a_still_firing_alert_is_seen_and_not_opened_again(site, source):
    for hour in range(3):
        payload = a_payload("firing_one_service")
        for alert in payload["alerts"]:
            alert["startsAt"] = f"2026-11-21T1{hour}:00:00Z"
            alert["annotations"]["value"] = str(hour)
        send(site, source, payload, webhook_id=f"msg_{hour}")
        site.work_off()

    (alert,) = site.alerts()
    assert (alert["status"], alert["deliveries"]) == ("open", 3)
    assert kinds(site, source).count("AlertOpened") == 1


def test_fifty_parallel_deliveries_of_one_alert_open_it_once(site, source):
    with ThreadPoolExecutor(16) as pool:
        sent = list(pool.map(lambda _: site.report(source, "firing_one_service"), range(50)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: site.work_off(), range(4)))

    assert [answer.status_code for answer in sent] == [202] * 50
    (alert,) = site.alerts()
    assert (alert["status"], alert["deliveries"]) == ("open", 50)
    assert kinds(site, source).count("AlertOpened") == 1


def test_an_alert_is_resolved_when_its_last_label_set_is(site, source):
    site.report(source)
    site.work_off()

    site.report(source, "firing_one_pod_resolved")
    site.work_off()
    between = statuses(site)
    site.report(source, "resolved")
    site.work_off()

    assert between == [("cart", "open"), ("checkout", "open"), ("payments", "open")]
    assert statuses(site) == [("cart", "resolved"), ("checkout", "resolved"), ("payments", "resolved")]
    assert kinds(site, source).count("AlertResolved") == 3


def test_what_fires_again_after_its_end_is_a_new_alert(site, source):
    for name in ("firing_three_services", "firing_one_pod_resolved", "resolved", "firing_three_services"):
        site.report(source, name)
    site.work_off()

    assert statuses(site, service="checkout") == [("checkout", "open"), ("checkout", "resolved")]


def test_the_end_of_what_was_never_open_opens_nothing(site, source):
    site.report(source, "resolved")
    site.work_off()

    assert site.alerts() == []


def test_an_alert_that_no_route_fits_is_seen_as_unmatched(site):
    source = site.register(routes=[]).json()
    site.report(source, "firing_one_service")

    site.work_off()

    assert statuses(site, status="unmatched") == [("checkout", "unmatched")]
    assert kinds(site, source)[-1] == "AlertUnmatched"


def test_an_unmatched_alert_is_looked_at_again_when_it_grows_worse(site):
    route = a_route(match={"severity": "critical"}).model_dump()
    source = site.register(routes=[route]).json()
    mild = a_payload("firing_one_service")
    for alert in mild["alerts"]:
        alert["labels"]["severity"] = "warning"
    send(site, source, mild, webhook_id="msg_mild")
    site.work_off()
    before = statuses(site)

    site.report(source, "firing_one_service")
    site.work_off()

    assert (before, statuses(site)) == ([("checkout", "unmatched")], [("checkout", "open")])


def test_a_person_may_close_an_alert_whose_end_was_never_told(site, source):
    site.report(source, "firing_one_service")
    site.work_off()
    (alert,) = site.alerts()

    closed = site.ask("POST", f"/v1/alerts/{alert['id']}:close", roles=("operator",))

    assert (closed.status_code, closed.json()["status"]) == (200, "resolved")
    assert site.events(source["source"]["id"])[-1][1]["by"] == "ada"
    again = site.ask("POST", f"/v1/alerts/{alert['id']}:close", roles=("operator",))
    assert (again.status_code, again.json()["code"]) == (409, "alert-closed")


def test_alerts_come_in_pages_and_by_status(site, source):
    site.report(source)
    site.work_off()

    first = site.ask("GET", "/v1/alerts", params={"limit": 2, "status": "open"}).json()
    second = site.ask("GET", "/v1/alerts", params={"limit": 2, "status": "open", "cursor": first["next_cursor"]}).json()

    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (2, 1, None)
    assert site.alerts(status="failed") == []
    assert site.ask("GET", "/v1/alerts", params={"status": "lost"}).status_code == 422


def test_another_tenant_sees_no_alert(site, source):
    site.report(source, "firing_one_service")
    site.work_off()
    (alert,) = site.alerts()

    assert site.alerts(tenant="rival") == []
    assert site.ask("GET", f"/v1/alerts/{alert['id']}", tenant="rival").status_code == 404


def test_what_was_taken_before_a_source_was_retired_is_worked_off(site, source):
    site.report(source, "firing_one_service")
    site.change("DELETE", "/v1/sources/cluster-alerts")

    site.work_off()

    assert statuses(site) == [("checkout", "open")]
