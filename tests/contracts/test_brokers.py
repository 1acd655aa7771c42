"""What a broker has to do, asked of each in the same words."""

import socket
import time
from queue import Queue
from typing import Any

import pytest
from google.cloud.pubsub_v1 import SubscriberClient
from tests.world.pstest.serving import a_pstest
from tests.world.pubsub import a_pubsub
from tests.world.sqs import an_sqs

from carapulse.adapters.gcp.pubsub import PubSub
from carapulse.broker.ports import Arrival, Parcel
from carapulse.kernel.errors import Unavailable

PUBSUBS = {"pubsub": a_pubsub, "pstest": a_pstest}
WORLDS = {"sqs": an_sqs, **PUBSUBS}
QUEUE = "planning"
HIDDEN_S = 5.0


@pytest.fixture(params=WORLDS)
def world(request, unused_name):
    with WORLDS[request.param](unused_name) as one:
        yield one


@pytest.fixture(params=["sqs", "pubsub"])
def giving_up(request, unused_name):
    with WORLDS[request.param](unused_name) as one:
        yield one


@pytest.fixture(params=PUBSUBS)
def pubsub(request, unused_name):
    with PUBSUBS[request.param](unused_name) as one:
        yield one


@pytest.fixture
def unused_name(request):
    return f"test-{abs(hash(request.node.nodeid))}"


def parcels(*texts, delay_s=0.0, queue=QUEUE):
    return [Parcel(f"message_{text}", queue, "plan_1", text, delay_s) for text in texts]


def received(broker, *, hidden_s=HIDDEN_S, wait_s=1.0):
    return broker.receive(QUEUE, 10, hidden_s, wait_s)


def test_what_is_sent_comes_once_to_its_queue_and_not_again_when_it_is_settled(world):
    broker = world.broker()

    taken = broker.send([*parcels("one", "two"), *parcels("else", queue="approvals")])
    arrivals = received(broker)
    for each in arrivals:
        broker.settle(each)

    assert taken == {"message_one", "message_two", "message_else"}
    assert sorted(each.text for each in arrivals) == ["one", "two"]
    assert {(each.queue, each.times) for each in arrivals} == {(QUEUE, 1)}
    assert received(broker) == []


def test_what_nobody_settles_comes_again_and_says_how_often_it_came(world):
    broker = world.broker()
    broker.send(parcels("one"))

    (first,) = received(broker)
    hidden = received(broker, wait_s=0.2)
    broker.hide(first, 0)
    (second,) = received(broker)

    assert hidden == []
    assert (second.text, second.times) == ("one", 2 if world.counts_deliveries else 1)


def test_what_nobody_can_work_on_goes_to_the_dead_letters(giving_up):
    broker = giving_up.broker()
    broker.send(parcels("poison"))

    dead: list[str] = []
    until = time.monotonic() + 10
    while not dead and time.monotonic() < until:
        for each in received(broker, wait_s=0.1):
            broker.hide(each, 0)
        dead = giving_up.dead_letters(QUEUE)

    assert dead == ["poison"]
    assert received(broker, wait_s=0.1) == []


def test_sqs_holds_back_what_is_to_come_later(unused_name):
    with an_sqs(unused_name) as world:
        broker = world.broker()
        broker.send(parcels("later", delay_s=0.8))

        assert received(broker, wait_s=0) == []
        assert [each.text for each in received(broker, wait_s=3)] == ["later"]


def test_of_a_batch_of_which_sqs_takes_a_part_only_that_part_is_said_to_be_taken(unused_name, monkeypatch):
    with an_sqs(unused_name) as world:
        broker = world.broker()
        whole = broker.client.send_message_batch

        def busy(QueueUrl, Entries):  # noqa: N803 - Amazon's names
            refused = [{"Id": each["Id"], "Code": "RequestThrottled", "SenderFault": False} for each in Entries[1:]]
            return {**whole(QueueUrl=QueueUrl, Entries=Entries[:1]), "Failed": refused}

        monkeypatch.setattr(broker.client, "send_message_batch", busy)

        assert broker.send(parcels("one", "two")) == {"message_one"}
        assert [each.text for each in received(broker)] == ["one"]


def test_more_than_fit_in_a_request_are_sent_by_several(world):
    broker = world.broker()
    texts = [str(number) for number in range(10)]

    taken = broker.send(parcels(*texts))
    arrivals: list[Arrival] = []
    for _ in texts:
        arrivals += received(broker, wait_s=0.1) if len(arrivals) < len(texts) else []

    assert len(taken) == 10
    assert sorted(str(each.text) for each in arrivals) == texts


def test_a_broker_that_is_away_is_a_clear_and_passing_failure(world):
    broker = world.broker()
    broker.send(parcels("one"))
    (arrival,) = received(broker)
    world.away()

    for ask in (
        lambda: broker.send(parcels("two")),
        lambda: received(broker),
        lambda: broker.settle(arrival),
        lambda: broker.hide(arrival, 1),
    ):
        with pytest.raises(Unavailable) as refused:
            ask()
        assert refused.value.retryable


@pytest.mark.parametrize(
    "ask",
    [
        lambda broker: broker.send(parcels("one")),
        lambda broker: broker.settle(Arrival(QUEUE, "one", 1, "ack-1")),
        lambda broker: broker.hide(Arrival(QUEUE, "one", 1, "ack-1"), 1),
    ],
)
def test_a_pubsub_that_never_answers_is_such_a_failure_too(ask, monkeypatch):
    monkeypatch.setattr("carapulse.adapters.gcp.pubsub._ONCE", {"timeout": 0.3, "retry": None})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        broker = PubSub.connect({QUEUE: f"projects/p/topics/{QUEUE}"})

        with pytest.raises(Unavailable) as refused:
            ask(broker)

    assert refused.value.retryable


def test_whoever_streams_is_brought_what_is_sent_and_again_what_he_gives_back(pubsub):
    pubsub.broker().send(parcels("one"))
    brought: Queue[Any] = Queue()
    with SubscriberClient() as client:
        stream = client.subscribe(f"projects/p/subscriptions/{QUEUE}", brought.put)
        first = brought.get(timeout=10)
        first.nack()
        again = brought.get(timeout=10)
        again.ack_with_response().result(10)
        stream.cancel()
        stream.result(10)

    assert (first.data, first.ordering_key) == (again.data, again.ordering_key) == (b"one", "plan_1")
    assert received(pubsub.broker(), wait_s=0.1) == []


def test_a_topic_that_is_not_there_is_a_failure_and_nothing_was_sent(pubsub):
    pubsub.topics["planning"] = "projects/p/topics/nowhere"

    with pytest.raises(Unavailable) as refused:
        pubsub.broker().send(parcels("one"))

    assert refused.value.facts["kind"] == "NotFound"
