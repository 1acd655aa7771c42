"""What happens is told once to each channel that wants it, signed, whatever goes wrong on the way."""

import json

from tests.builders.receiving import is_signed

from carapulse.notifications.messages import Deliver
from carapulse.notifications.sending import deliver


def test_who_is_asked_for_approval_gets_one_signed_message_which_is_the_event_as_streams_have_it(site, receiver):
    put = site.put("people", receiver.url).json()
    plan = site.plan()

    site.work()
    site.work()

    ((headers, body),) = receiver.got
    event = json.loads(body)
    assert is_signed(headers, body, put["secret"])
    assert not is_signed(headers, body + b" ", put["secret"])
    assert headers["content-type"] == "application/cloudevents+json"
    assert (event["type"], event["subject"]) == ("io.carapulse.ApprovalRequested", plan["plan_id"])
    assert event["data"]["digest"] == plan["digest"]
    (delivery,) = site.deliveries("people")
    assert (delivery["id"], delivery["status"], delivery["attempts"]) == (headers["webhook-id"], "delivered", 1)
    assert delivery["sequence"] == event["sequence"]
