"""What comes late, or can't be read, undoes nothing and keeps nobody else from being told."""

import json

import pytest
from tests.builders.receiving import is_signed
from tests.world.rig import act, check

from carapulse.notifications.announcing import tell_channels
from carapulse.notifications.errors import ReceiverGone, ReceiverUnavailable
from carapulse.notifications.messages import Deliver, TellChannels
from carapulse.notifications.sending import deliver
from carapulse.tools.ports import Answer


class Overtaken:
    """The application of somebody who sends and gets an answer so late that others did something meanwhile."""

    def __init__(self, app, status, overtake):
        self._app, self._status, self._overtake = app, status, overtake

    def __getattr__(self, name):
        return getattr(self._app, name)

    @property
    def web(self):
        return self

    def send(self, _request, **_limits):
        self._overtake()
        return Answer(status=self._status)


def waiting(site, name="people"):
    """Write what a channel is to be told, and return the newest message, which nobody sent yet."""
    site.plan()
    tell_channels(TellChannels(), site.call(), site.rig.app)
    return Deliver(delivery_id=site.deliveries(name)[0]["id"])


def test_a_failure_that_is_noted_late_does_not_undo_what_another_delivered(site, receiver):
    site.put("people", receiver.url)
    message = waiting(site)

    def overtake():
        site.sql("UPDATE channel_deliveries SET sending_until = now() WHERE id = :id", id=message.delivery_id)
        deliver(message, site.call(), site.rig.app)

    with pytest.raises(ReceiverUnavailable):
        deliver(message, site.call(), Overtaken(site.rig.app, 500, overtake))

    (delivery,) = site.deliveries("people")
    assert (delivery["status"], delivery["attempts"], delivery["last_error"]) == ("delivered", 2, None)


def test_who_answers_for_an_address_that_was_left_does_not_switch_the_channel_off(site, receivers):
    site.put("people", receivers[0].url)
    message = waiting(site)

    def overtake():
        site.put("people", receivers[1].url)

    with pytest.raises(ReceiverGone):
        deliver(message, site.call(), Overtaken(site.rig.app, 410, overtake))

    assert site.ask("GET", "/v1/channels/people").json()["off_at"] is None


def test_a_channel_is_switched_off_once(site, receiver):
    site.put("people", receiver.url)
    first = waiting(site)
    second = waiting(site)
    receiver.answers = [410]

    def overtake():
        with pytest.raises(ReceiverGone):
            deliver(first, site.call(), site.rig.app)

    with pytest.raises(ReceiverGone):
        deliver(second, site.call(), Overtaken(site.rig.app, 410, overtake))

    assert len(site.events("ChannelDisabled")) == 1


def test_a_channel_that_nobody_can_read_keeps_no_other_from_being_told(site, receivers):
    site.put("broken", receivers[0].url)
    site.put("people", receivers[1].url)
    site.sql("""UPDATE channels SET rules = '{"events": ["NoSuchThing"]}' WHERE name = 'broken'""")
    site.plan()

    tell_channels(TellChannels(), site.call(), site.rig.app)
    site.work()

    assert [len(each.got) for each in receivers] == [0, 1]


def test_people_are_told_of_the_version_that_they_are_asked_about(site, receiver):
    site.put("people", receiver.url, kind="slack", risks=["low", "medium", "high"])
    plan = site.plan(summary="Light the hall")
    steps = [act("switch", "attic"), check("attic")]
    revised = {"summary": "Light the attic", "context": {"environment": "prod"}, "steps": steps}
    assert site.ask("POST", f"/v1/plans/{plan['plan_id']}/versions", revised).status_code == 201

    site.work(5, lambda: len(receiver.got) == 2)

    asked = {}
    for _, sent in receiver.got:
        said = json.loads(sent)
        asked[said["blocks"][-1]["elements"][0]["value"]] = said["blocks"][1]["text"]["text"]
    assert asked[f"{plan['plan_id']} {plan['digest']}"] == "Light the hall"
    assert sorted(asked.values()) == ["Light the attic", "Light the hall"]


def test_a_plan_that_nobody_can_read_is_told_all_the_same_and_holds_nothing_up(site, receiver, installation):
    site.put("people", receiver.url, kind="slack", risks=["high"])
    plan = site.plan()
    with installation[2].as_superuser() as connection:
        connection.run("UPDATE plan_versions SET body = '{}' WHERE plan_id = :id", id=plan["plan_id"])

    site.work()

    ((_, body),) = receiver.got
    assert plan["plan_id"] in body.decode()


def test_an_older_secret_signs_for_as_long_as_was_promised_though_there_are_newer_ones(site, receiver):
    before = site.put("people", receiver.url).json()["secret"]

    for seconds in (3600, 86_400):
        site.ask("POST", "/v1/channels/people:rotate", {"older_for_s": seconds})
    site.plan()
    site.work()

    ((headers, body),) = receiver.got
    assert is_signed(headers, body, before)
    ends = [each["expires_at"] for each in site.ask("GET", "/v1/channels/people").json()["secrets"]]
    assert ends[0] is None
    assert ends[1] > ends[2]


def test_another_address_need_not_wait_for_what_the_former_one_asked_for(site, receivers):
    site.put("people", receivers[0].url)
    receivers[0].answers, receivers[0].headers = [503], {"Retry-After": "600"}
    site.plan()
    site.work()

    site.put("people", receivers[1].url)
    site.work(3, lambda: receivers[1].got != [])

    assert len(receivers[1].got) == 1
