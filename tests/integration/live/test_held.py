"""Clients whose sockets a gateway holds: who is let in, and what they get."""

import json
from datetime import timedelta

from tests.builders.following import FRIEND, EvidenceExported, PlanClosed, Site, positions, serving
from tests.world.sockets import AWAY, BUSY

from carapulse.live.feed import Pace

QUICK = Pace(poll=0.05)


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


def test_silence_is_broken_by_signs_of_life(held):
    held.come("one")
    held.look()
    held.clock.later(timedelta(seconds=15))
    held.look()

    assert [each["type"] for each in held.world.said["one"]] == ["open", "heartbeat"]


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
    assert [each.principal.tenant for each in held.clients()] == ["globex"]


def test_a_client_of_another_tenant_is_behind_its_wall(held):
    held.come("one", tenant="globex")
    with held.begin(held.call("acme")) as work:
        assert work.connections.find("one") is None
        work.connections.drop("one")

    assert held.there() == ["one"]


def test_whoever_catches_up_gets_some_and_then_others_have_their_turn(held):
    held.happen(*[PlanClosed] * 60)
    held.come("behind", after="0")
    held.come("one")
    held.look()
    some = len(held.world.said["behind"])
    held.look()

    assert (some, len(held.world.said["one"])) == (51, 1)
    assert positions(held.world.said["behind"][1:]) == sorted({*positions(held.world.said["behind"][1:])})
    assert len(held.world.said["behind"]) == 61
