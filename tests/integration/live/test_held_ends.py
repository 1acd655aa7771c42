"""Clients whose sockets a gateway holds: when they get no more, and who tells them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from tests.builders.following import positions
from tests.world.sockets import BUSY, GONE

from carapulse.identity.model import Proof
from carapulse.kernel.event import Event
from carapulse.live.errors import ConnectionUnknown
from carapulse.live.feed import Pace
from carapulse.live.tables import live_connections
from carapulse.live.telling import Look, Telling

QUICK = Pace(poll=0.05)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":"unknown"}', "message-refused"),
        (None, "message-refused"),
        ('{"type":"subscribe","after":"99999"}', "position-unknown"),
        ('{"type":"subscribe","types":["EvidenceExported"]}', "role-required"),
    ],
)
def test_what_no_client_may_say_ends_the_conversation(held, message, code):
    held.come("one")
    held.look()
    held.hear("one", message)
    held.look()

    last = held.world.said["one"][-1]
    assert (last["type"], last["code"]) == ("end", code)
    assert (held.world.dropped, held.there()) == (["one"], [])


def test_a_client_that_says_too_much_is_closed(held):
    held.come("one")
    for _ in range(61):
        held.hear("one", {"type": "ping"})
    held.look()

    assert held.world.said["one"][-1]["code"] == "too-many-messages"
    assert held.world.dropped == ["one"]


def test_a_client_that_is_gone_is_forgotten_and_one_that_only_comes_is_not(held):
    held.come("coming")
    held.come("gone")
    held.look()
    held.world.refusing["gone"] = held.world.refusing["coming"] = GONE
    held.come("new")
    held.world.refusing["new"] = GONE
    held.happen()
    held.look()

    assert held.there() == ["new"]


def test_a_client_that_reads_too_slowly_is_closed_after_some_patience(held):
    held.come("one", after="0")
    held.look()
    held.happen()
    held.world.refusing["one"] = BUSY
    held.look()
    held.clock.later(timedelta(seconds=21))
    held.look()

    assert (held.world.dropped, held.there()) == (["one"], [])


def test_a_client_stays_no_longer_than_what_it_proved_itself_with(held):
    held.come("one", lifetime=timedelta(minutes=5))
    held.look()
    held.clock.later(timedelta(minutes=5))
    held.look()

    assert held.world.said["one"][-1]["code"] == "token-expired"
    assert held.there() == []


def test_nobody_leaves_while_somebody_comes_and_whoever_comes_to_nobody_wakes_one(held):
    book = held.connection_book
    seen = book.hold("pusher_a", 30)
    held.come("one")

    assert held.world.woken["tell"] == 0
    assert not book.leave("pusher_a", seen)
    assert book.hold("pusher_b", 30) is None
    assert book.leave("pusher_a", None)
    held.come("two")
    assert held.world.woken["tell"] == 1


def test_a_client_that_leaves_is_forgotten_and_what_is_no_occasion_is_refused(held):
    held.come("one")
    left = [held.tell("disconnect", "one")["statusCode"] for _ in range(2)]
    unknown = held.sockets.answer({"requestContext": {"eventType": "SING", "connectionId": "one"}})

    assert (left, unknown["statusCode"]) == ([200, ConnectionUnknown.status], 422)
    assert json.loads(unknown["body"])["code"] == "no-such-occasion"


def test_an_event_that_the_gateway_does_not_take_ends_the_conversation_after_it(held):
    held.come("one", after="0")
    held.look()
    held.happen_large()
    held.look()

    last = held.world.said["one"][-1]
    assert last["code"] == "event-too-large"
    assert int(last["after"]) == held.tail.settled()


def test_who_stands_by_goes_on_where_the_other_ended_and_leaves_when_there_is_nobody(held):
    held.come("one")
    first, second = held.another(pace=QUICK), held.another(pace=QUICK)
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(first.run, 1.5), threads.submit(second.run, 20)]
        held.world.wait_for("one", 1)
        held.happen()
        held.world.wait_for("one", 2)
        running[0].result(10)
        held.happen()
        said = held.world.wait_for("one", 3)
        held.tell("disconnect", "one")
        running[1].result(10)

    assert len(set(positions(said[1:]))) == 2
    assert held.come("two")["statusCode"] == 200
    assert held.world.woken["tell"] == 2


class ApiKeyRevoked(Event):
    key_id: str = "key_1"


class ApiKeyRotated(Event):
    key_id: str = "key_1"
    ends_at: str


def earlier(client, by_s):
    return ApiKeyRotated(ends_at=datetime.fromtimestamp(client.principal.expires_at - by_s, UTC).isoformat())


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (lambda _: ApiKeyRevoked(), "token-expired"),
        (lambda client: earlier(client, 60), "key-rotated"),
        (lambda client: earlier(client, 0), None),
    ],
    ids=["revoked", "rotated", "rotated before"],
)
def test_what_a_key_opened_ends_with_the_key(held, happens, code):
    held.come("one", after="0")
    held.look()
    (client,) = held.clients()
    of_key = client.principal.model_copy(update={"proof": Proof(kind="api_key", id="key_1")})
    held.happen(lambda: happens(client), stream="key_1")
    look = Look(held.tail, held.tail.settled(), held.clock.now(), "0" * 32, time.monotonic() + 5)

    kept = Telling(client, look, held.gateway, QUICK).run()
    gone = Telling(client.model_copy(update={"principal": of_key}), look, held.gateway, QUICK).run()

    assert (kept is None, gone is None) == (False, code is not None)
    assert held.world.said["one"][-1].get("code") == code


def test_whoever_s_turn_is_over_says_nothing_more(held):
    held.come("one", after="0")
    held.look()
    held.happen()
    (client,) = held.clients()
    until = time.monotonic()
    late = Look(held.tail, held.tail.settled(), held.clock.now(), "0" * 32, until)

    assert Telling(client, late, held.gateway, QUICK).run() == client
    assert [each["type"] for each in held.world.said["one"]] == ["open"]


def test_what_another_version_kept_keeps_nobody_from_being_told_and_is_closed(held):
    held.come("one")
    held.come("strange")
    with held.begin(held.call("acme")) as work:
        ask = {"types": ["NoMoreSuchThing"]}
        work.connection.execute(update(live_connections).where(live_connections.c.id == "strange").values(ask=ask))
    held.look()

    assert (held.world.dropped, [each["type"] for each in held.world.said["one"]]) == (["strange"], ["open"])
