"""The recorded payloads are read; anything else is refused with the place of each fault."""

import pytest
from tests.builders.intake import RECORDED, a_payload

from carapulse.intake.alertmanager import read_notification
from carapulse.intake.errors import NotAnAlertNotification


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_every_recorded_notification_is_read(name):
    notification = read_notification(a_payload(name))

    assert len(notification.alerts) == len(a_payload(name)["alerts"])


def test_a_field_that_a_later_alertmanager_adds_is_let_pass():
    notification = read_notification(a_payload("firing_with_fields_of_the_future"))

    assert notification.alerts[0].labels["service"] == "checkout"


@pytest.mark.parametrize(
    ("pointer", "change"),
    [
        ("/version", {"version": "3"}),
        ("/alerts", {"alerts": []}),
        ("/alerts", {"alerts": "none"}),
        ("/status", {"status": "fine"}),
        ("/truncatedAlerts", {"truncatedAlerts": -1}),
        ("/commonLabels/a~1b", {"commonLabels": {"a/b": 1}}),
    ],
)
def test_what_is_no_notification_is_refused_with_its_place(pointer, change):
    with pytest.raises(NotAnAlertNotification) as caught:
        read_notification(a_payload() | change)

    assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_what_is_missing_is_named():
    payload = a_payload()
    del payload["alerts"][2]["fingerprint"]

    with pytest.raises(NotAnAlertNotification) as caught:
        read_notification(payload)

    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("/alerts/2/fingerprint", "missing")]


@pytest.mark.parametrize("payload", [None, 3, "text", [], [a_payload()]])
def test_json_that_is_no_object_is_refused(payload):
    with pytest.raises(NotAnAlertNotification):
        read_notification(payload)
