"""Clients whose sockets a gateway holds: what they get, and when they get no more."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.builders.following import FRIEND, EvidenceExported, PlanClosed, Site, positions, serving
from tests.builders.held import HeldInstallation
from tests.world.sockets import AWAY, BUSY, GONE, sockets

from carapulse.live.errors import ConnectionUnknown
from carapulse.live.feed import Pace
from carapulse.live.telling import Look, Telling

QUICK = Pace(poll=0.05)


@pytest.fixture
def world():
    with sockets() as made:
        yield made


@pytest.fixture
def held(database, tmp_path, world):
    made = HeldInstallation(database.app_url, tmp_path, world)
    yield made
    made.close()


def test_a_client_gets_what_it_would_get_over_a_socket_of_ours(held):
    held.happen(PlanClosed, EvidenceExported)
    held.happen(tenant="globex")
    held.happen(PlanClosed, stream="plan_2")
    with serving(held) as port, Site(held, port).talking("?after=0") as talker:
        theirs = [talker.opened, talker.next(), talker.next()]

    held.come("one", after="0")
    held.look()

    assert held.world.said["one"] == theirs
    assert [each.get("subject", each["type"]) for each in theirs] == ["open", "plan_1", "plan_2"]


def test_a_client_gets_each_event_once_in_order_whoever_tells_it(held):
    held.come("one")
    held.look()
    for _ in range(3):
        held.happen(PlanClosed, PlanClosed)
        held.look()
        held.look(held.another())

    said = held.world.said["one"]
    seen = positions(said[1:])
    assert len(seen) == 6
    assert seen == sorted(set(seen))
    assert said[0]["type"] == "open"


def test_an_event_that_could_not_be_sent_comes_next_time_and_after_it_the_rest(held):
    held.come("one", after="0")
    held.look()
    held.happen(PlanClosed, PlanClosed)
    held.world.refusing["one"] = BUSY
    held.look()
    held.happen()
    del held.world.refusing["one"]
    held.look()

    seen = positions(held.world.said["one"][1:])
    assert len(seen) == 3
    assert seen == sorted(set(seen))


def test_a_gateway_that_takes_only_some_of_many_events_gets_the_rest_and_none_again(held):
    held.come("one", after="0")
    held.look()
    held.happen(*[PlanClosed] * 4)
    held.world.takes["one"] = 3
    held.look()
    held.world.takes.clear()
    held.look(held.another())

    seen = positions(held.world.said["one"][1:])
    assert len(seen) == 4
    assert seen == sorted(set(seen))


def test_a_gateway_that_is_away_costs_no_client_its_place(held):
    held.come("one")
    held.look()
    held.world.refusing["one"] = AWAY
    held.happen()
    held.look()
    held.clock.later(timedelta(minutes=2))
    held.look()
    held.world.refusing.clear()
    held.look()

    assert [each.get("subject", each["type"]) for each in held.world.said["one"]] == ["open", "plan_1"]


def test_a_client_that_asks_for_another_place_gets_it_and_a_ping_is_answered(held):
    held.happen(stream="plan_old")
    held.come("one", subject="plan_none")
    held.look()
    held.hear("one", {"type": "ping"})
    held.hear("one", {"type": "subscribe", "after": "0", "types": ["PlanClosed"]})
    held.look()

    assert [each.get("subject", each["type"]) for each in held.world.said["one"]] == [
        "open",
        "open",
        "pong",
        "plan_old",
    ]


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


def test_silence_is_broken_by_signs_of_life(held):
    held.come("one")
    held.look()
    held.clock.later(timedelta(seconds=15))
    held.look()

    assert [each["type"] for each in held.world.said["one"]] == ["open", "heartbeat"]


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


def test_there_are_so_many_clients_of_a_tenant_and_in_all_and_no_more(held):
    held.settings.live_clients, held.settings.live_clients_of_tenant = 3, 2
    answers = [held.come(f"acme-{number}")["statusCode"] for number in range(3)]
    others = [held.come(f"globex-{number}", tenant="globex")["statusCode"] for number in range(2)]

    assert (answers, others) == ([200, 200, 429], [200, 503])


def test_whoever_may_not_follow_is_not_let_in(held):
    evil = {"Origin": "https://evil.example"}

    refused = [
        held.connect("one", headers={}),
        held.connect("one", {"ticket": "nonsense"}, headers={}),
        held.connect("one", headers=held.bearer() | evil),
        held.connect("one", {"after": "99999"}),
        held.connect("one", {"token": "x"}),
        held.connect("one", {"types": "EvidenceExported"}),
    ]

    assert [each["statusCode"] for each in refused] == [401, 401, 403, 422, 422, 403]
    assert json.loads(refused[1]["body"])["code"] == "ticket-refused"
    assert held.connect("one", headers=held.bearer() | {"Origin": FRIEND})["statusCode"] == 200


def test_a_ticket_lets_one_client_in_once_in_the_name_of_whoever_asked_for_it(held):
    ticket = held.ticket(tenant="globex")
    answers = [held.connect(name, {"ticket": ticket}, headers={})["statusCode"] for name in ("one", "two")]

    assert answers == [200, 401]
    assert [each.principal.tenant for each in held.connection_book.all()] == ["globex"]


def test_a_client_that_leaves_is_forgotten_and_what_is_no_occasion_is_refused(held):
    held.come("one")
    left = [held.tell("disconnect", "one")["statusCode"] for _ in range(2)]
    unknown = held.sockets.answer({"requestContext": {"eventType": "SING", "connectionId": "one"}})

    assert (left, unknown["statusCode"]) == ([200, ConnectionUnknown.status], 422)
    assert json.loads(unknown["body"])["code"] == "no-such-occasion"


def test_a_client_of_another_tenant_is_behind_its_wall(held):
    held.come("one", tenant="globex")
    with held.begin(held.call("acme")) as work:
        assert work.connections.find("one") is None
        work.connections.drop("one")

    assert held.there() == ["one"]


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


def test_whoever_s_turn_is_over_says_nothing_more(held):
    held.come("one", after="0")
    held.look()
    held.happen()
    (client,) = held.connection_book.all()
    until = time.monotonic()
    late = Look(held.tail, held.tail.settled(), held.clock.now(), "0" * 32, until)

    assert Telling(client, late, held.gateway, QUICK).run() == client
    assert [each["type"] for each in held.world.said["one"]] == ["open"]
