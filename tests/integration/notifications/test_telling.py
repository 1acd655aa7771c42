"""What happens is told once to each channel that wants it, signed, whatever goes wrong on the way."""

import json
import time

from tests.builders.intake import NOON
from tests.builders.receiving import is_signed

from carapulse.adapters.postgres.log import Recorded, append
from carapulse.notifications.announcing import tell_channels
from carapulse.notifications.messages import Deliver, TellChannels
from carapulse.notifications.sending import deliver
from carapulse.plans.events import PlanClosed


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


def test_a_message_that_was_not_taken_comes_again_under_the_same_id(site, receiver):
    put = site.put("people", receiver.url).json()
    receiver.answers = [500, 429]
    site.plan()

    site.work(10, lambda: len(receiver.got) == 3)

    assert len(set(receiver.ids)) == 1
    assert all(is_signed(headers, body, put["secret"]) for headers, body in receiver.got)
    assert len({body for _, body in receiver.got}) == 1
    (delivery,) = site.deliveries("people", status="delivered")
    assert delivery["attempts"] == 3


def test_whoever_asks_for_patience_is_left_alone(site, receiver):
    site.put("people", receiver.url)
    receiver.answers, receiver.headers = [503], {"Retry-After": "600"}
    site.plan()
    site.work()
    site.plan(lamp="attic")

    site.work(2.5)

    first = site.deliveries("people", status="waiting")[-1]
    assert len(receiver.got) == 1
    assert first["last_error"] == "receiver-unavailable: the receiver answered with 503"


def test_a_crash_between_sending_and_noting_repeats_a_message_at_most_under_its_id(site, receiver):
    site.put("people", receiver.url)
    site.plan()
    site.work()
    (delivery,) = site.deliveries("people")
    site.sql(
        "UPDATE channel_deliveries SET status = 'waiting', done_at = NULL, sending_until = now() WHERE id = :id",
        id=delivery["id"],
    )

    deliver(Deliver(delivery_id=delivery["id"]), site.call(), site.rig.app)
    deliver(Deliver(delivery_id=delivery["id"]), site.call(), site.rig.app)

    assert receiver.ids == [delivery["id"]] * 2


def test_looking_twice_at_the_same_part_of_the_log_tells_nothing_twice(site, receiver):
    site.put("people", receiver.url)
    site.plan()

    tell_channels(TellChannels(), site.call(), site.rig.app)
    tell_channels(TellChannels(), site.call(), site.rig.app)
    site.work()

    assert len(receiver.got) == 1


class Overtaken:
    """The application of somebody who looks at the log and is overtaken by another before they can write."""

    def __init__(self, app, overtake):
        self._app, self._overtake = app, overtake

    def __getattr__(self, name):
        return getattr(self._app, name)

    @property
    def tail(self):
        return self

    def newest(self):
        return self._app.tail.newest()

    def settled(self):
        return self._app.tail.settled()

    def page(self, *where):
        found = self._app.tail.page(*where)
        self._overtake()
        return found


def test_two_who_look_at_once_tell_nothing_twice(site, receiver):
    site.put("people", receiver.url)
    site.plan()

    def overtake():
        tell_channels(TellChannels(), site.call(), site.rig.app)

    tell_channels(TellChannels(), site.call(), Overtaken(site.rig.app, overtake))
    site.work()

    assert len(receiver.got) == 1


def test_an_event_that_is_committed_after_a_later_one_is_told_too(site, receiver):
    site.put("people", receiver.url, events=["PlanClosed"])

    with site.rig.app.begin(site.call()) as late:
        append(late.connection, late.call, [Recorded("plan_late", PlanClosed(plan_id="plan_late", reason="x"), NOON)])
        site.happen("plan_early")
        tell_channels(TellChannels(), site.call(), site.rig.app)
    site.work(5, lambda: len(receiver.got) == 2)

    assert sorted(json.loads(body)["subject"] for _, body in receiver.got) == ["plan_early", "plan_late"]


def test_a_new_channel_begins_now(site, receiver):
    site.plan()

    site.put("people", receiver.url)
    site.work()

    assert receiver.got == []


def test_a_dead_receiver_holds_up_no_other(site, receivers):
    site.put("dead", "http://127.0.0.1:9/")
    site.put("alive", receivers[1].url)
    for lamp in ("hall", "attic", "cellar"):
        site.plan(lamp=lamp)

    site.work()

    assert len(receivers[1].got) == 3
    waiting = site.deliveries("dead", status="waiting")
    assert len(waiting) == 3
    assert waiting[-1]["last_error"] == "receiver-unavailable: the address did not answer"


def test_a_receiver_that_is_gone_switches_its_channel_off(site, receiver):
    site.put("people", receiver.url)
    receiver.answers = [410]
    site.plan()
    site.work()
    site.plan(lamp="attic")
    site.work()

    shown = site.ask("GET", "/v1/channels/people").json()
    assert shown["off_why"] == "the receiver says that it is gone"
    assert len(receiver.got) == 1
    assert [each["type"] for each in site.log() if each["stream"] == shown["id"]][:2] == [
        "DeliveryFailed",
        "ChannelDisabled",
    ]
    assert site.ask("POST", "/v1/channels/people:test").json()["code"] == "channel-off"

    site.put("people", receiver.url)
    site.plan(lamp="cellar")
    site.work()

    assert len(receiver.got) == 2


def test_what_is_refused_is_a_dead_letter_at_once_and_can_be_replayed(site, receiver):
    site.put("people", receiver.url, events=["ApprovalRequested", "MessageBuried"])
    receiver.answers = [302]
    site.plan()
    site.work()
    site.work()

    (failed,) = site.deliveries("people", status="failed")
    (letter,) = site.ask("GET", "/v1/dead-letters").json()["data"]
    assert len(receiver.got) == 1
    assert failed["http_status"] == 302
    assert letter["reason"].startswith("receiver-refused")
    assert len(site.events("DeliveryFailed")) == 1

    replayed = site.ask("POST", f"/v1/dead-letters/{letter['id']}:replay", {"note": "it is back"})
    assert replayed.is_success, replayed.text
    site.work()

    assert receiver.ids == [failed["id"]] * 2
    assert site.deliveries("people")[0]["status"] == "delivered"


def test_events_of_another_tenant_are_not_told(site, other, receivers):
    site.put("people", receivers[0].url)
    other.put("people", receivers[1].url)

    plan = other.plan()
    site.work()

    assert receivers[0].got == []
    assert json.loads(receivers[1].got[0][1])["subject"] == plan["plan_id"]


def test_nobody_looks_what_to_tell_where_nothing_happened(site, other, receivers):
    site.put("people", receivers[0].url)
    other.put("people", receivers[1].url)
    site.work()
    book = site.rig.app.channel_book

    other.happen("plan_1")
    here, there = (each.name in book.tenants_to_tell() for each in (site, other))

    assert (here, there) == (False, True)


def test_environments_and_risks_narrow_what_is_told(site, receivers):
    site.put("elsewhere", receivers[0].url, environments=["staging"])
    site.put("here", receivers[1].url, environments=["prod"], risks=["low", "medium", "high"])

    site.plan()
    site.work()

    assert [len(each.got) for each in receivers] == [0, 1]


def test_a_deleted_channel_is_told_nothing_more(site, receiver):
    site.put("people", receiver.url)
    site.plan()
    site.rig.tick()
    tell_channels(TellChannels(), site.call(), site.rig.app)

    assert site.delete("people").status_code == 204
    site.work()

    assert receiver.got == []
    assert site.ask("GET", "/v1/channels/people").status_code == 404


def test_a_slack_channel_is_asked_with_two_buttons_about_exactly_this_version(site, receiver):
    site.put("people", receiver.url, kind="slack")
    plan = site.plan(summary="Light <!channel> & <https://evil.example|the hall>")

    site.work()

    ((headers, body),) = receiver.got
    said = json.loads(body)
    approve, deny = said["blocks"][-1]["elements"]
    assert "webhook-signature" not in headers
    assert (approve["action_id"], deny["action_id"]) == ("carapulse.approve", "carapulse.deny")
    assert approve["value"] == deny["value"] == f"{plan['plan_id']} {plan['digest']}"
    assert b"<!channel>" not in body
    assert b"<https://evil" not in body


def test_a_test_message_can_be_seen_and_is_in_the_list(site, receiver):
    put = site.put("people", receiver.url).json()

    asked = site.ask("POST", "/v1/channels/people:test")
    site.work()

    ((headers, body),) = receiver.got
    assert asked.status_code == 202
    assert is_signed(headers, body, put["secret"])
    assert json.loads(body)["type"] == "io.carapulse.ChannelTested"
    assert site.deliveries("people")[0]["id"] == asked.json()["id"] == headers["webhook-id"]
    assert site.deliveries("people")[0]["status"] == "delivered"


def test_a_slow_receiver_keeps_few_busy_who_send(site, receivers):
    slow, quick = receivers
    site.put("slow", slow.url, events=["PlanClosed"])
    site.put("quick", quick.url, events=["PlanClosed"])
    for number in range(8):
        site.happen(f"plan_{number}")
    site.rig.tick()

    slow.open.clear()
    with site.at_work(4):
        until = time.monotonic() + 8  # less than is waited for an answer
        while len(quick.got) < 8 and time.monotonic() < until:
            time.sleep(0.02)
        told, begun = len(quick.got), len(slow.got)
        slow.open.set()

    assert (told, begun) == (8, 2)


def test_a_tenant_with_many_slow_receivers_leaves_somebody_to_send_for_another(site, other, receivers):
    slow, quick = receivers
    for number in range(4):
        site.put(f"slow-{number}", slow.url, events=["PlanClosed"])
    other.put("quick", quick.url, events=["PlanClosed"])
    site.happen("plan_1")
    site.rig.tick()

    slow.open.clear()
    with site.at_work(4):
        until = time.monotonic() + 8  # less than is waited for an answer
        while len(slow.got) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        other.happen("plan_2")
        site.rig.tick()
        while not quick.got and time.monotonic() < until:
            time.sleep(0.02)
        told, begun = len(quick.got), len(slow.got)
        slow.open.set()

    assert (told, begun) == (1, 3)


def test_receivers_of_a_tenant_that_fail_are_tried_one_after_another(site, receivers):
    dead, _ = receivers
    for number in range(2):
        site.put(f"dead-{number}", dead.url, events=["PlanClosed"])
    dead.answers = [500, 500]
    site.happen("plan_1")
    site.work(until=lambda: len(dead.got) == 2)

    dead.open.clear()
    with site.at_work(4):
        time.sleep(4)
        begun = len(dead.got) - 2
        dead.open.set()

    assert begun == 1


def test_what_left_the_log_before_it_was_told_is_said_to_be_missing(site, other, receiver):
    channel = site.put("people", receiver.url, events=["PlanClosed"]).json()["channel"]
    other.happen("plan_1")
    place = other.sql("SELECT max(position) FROM events")[0][0]
    site.sql(
        "INSERT INTO event_archives VALUES (:tenant, :p, :p, 1, 'sha256:0', 'sha256:0', now())",
        tenant=site.name,
        p=place,
    )
    site.happen("plan_2")

    site.work(5, lambda: receiver.got != [])

    (missing,) = site.events("ChannelBehind")
    assert missing["stream"] == channel["id"]
    assert missing["body"]["until"] == place
    assert [json.loads(body)["subject"] for _, body in receiver.got] == ["plan_2"]
