"""The notification of the demo is a recorded one, about now."""

import json
from datetime import UTC, datetime, timedelta

from carapulse.intake.alertmanager import read_notification
from carapulse.surfaces.demo.alerting import payload


def test_the_recorded_notification_is_what_the_intake_reads():
    sent = payload("firing", "checkout answers 5xx to 53.3% of requests")

    read = read_notification(json.loads(sent))

    assert {alert.labels["service"] for alert in read.alerts} == {"checkout"}
    assert {alert.annotations["summary"] for alert in read.alerts} == {"checkout answers 5xx to 53.3% of requests"}


def test_it_is_about_now():
    began = datetime.fromisoformat(json.loads(payload("firing", "x"))["alerts"][0]["startsAt"])

    assert abs(datetime.now(UTC) - began) < timedelta(minutes=1)


def test_it_differs_from_what_was_recorded_only_in_what_is_measured(request):
    recorded = json.loads((request.config.rootpath / "tests/events/alertmanager/firing_one_service.json").read_text())
    sent = json.loads(payload("firing", recorded["commonAnnotations"]["summary"]))

    for alert, was in zip(sent["alerts"], recorded["alerts"], strict=True):
        alert["startsAt"] = was["startsAt"]
    assert sent == recorded
