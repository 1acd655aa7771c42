"""Runs whose messages a broker brings: all ends as it does on the database's own queue, and nothing is lost."""

import json
import time
from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.world.pstest.serving import a_pstest
from tests.world.pubsub import a_pubsub
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world
from tests.world.sqs import an_sqs

from carapulse.adapters.postgres import outbox
from carapulse.broker.envelope import MessageUnreadable
from carapulse.broker.events import STREAM
from carapulse.broker.ports import Arrival
from carapulse.kernel.call import INSTALLATION
from carapulse.kernel.errors import Unavailable
from carapulse.runtime.areas import handlers
from carapulse.runtime.brokered import queue_of
from carapulse.runtime.workers import Workers

WORLDS = {"sqs": an_sqs, "pubsub": a_pubsub}


class Brokered(Rig):
    """An installation whose messages a broker brings."""

    def __init__(self, database, world, folder, broker, addresses=None):
        self.broker = broker
        super().__init__(
            database.app_url, world, folder, queue=broker.name, queue_addresses=addresses or broker.addresses
        )

    def new_workers(self, count=1):
        chosen = self.settings
        return Workers(
            queue_of(self.app), handlers(chosen.orchestrator), self.app, self.app.clock, count, chosen.visibility_s, 3
        )

    def rows(self, query, tenant="acme", **given):
        with self.app.begin(a_call(tenant=tenant)) as work:
            return work.connection.execute(text(query), given).all()

    def waiting(self):
        """Return what the table holds that is neither done nor dead."""
        return self.rows("SELECT id, attempts FROM messages WHERE dead_at IS NULL AND type = 'AdvanceExecution'")

    def hurry(self):
        """Let all that is hidden be due."""
        self.rows("UPDATE messages SET available_at = clock_timestamp() RETURNING id")


@pytest.fixture(params=WORLDS)
def rig(request, database, tmp_path):
    with WORLDS[request.param](f"run-{tmp_path.name}") as broker, a_world() as world:
        one = Brokered(database, world, tmp_path / "data", broker)
        yield one
        one.close()


def test_a_run_goes_from_its_start_to_its_end_and_leaves_no_message(rig):
    state = rig.run(act("switch", "hall"), check("hall"))

    assert state.status == "succeeded"
    assert rig.waiting() == []


def test_a_run_goes_from_its_start_to_its_end_over_googles_own_fake_too(database, tmp_path):
    with a_pstest(tmp_path.name) as broker, a_world() as world:
        rig = Brokered(database, world, tmp_path / "data", broker)

        assert rig.run(act("switch", "hall"), check("hall")).status == "succeeded"
        assert rig.broker.broker().receive("executions", 10, 0, 0.2) == []
        rig.close()


def test_what_the_broker_is_given_says_nothing_of_what_is_to_be_done(rig):
    rig.start(rig.plan(act("switch", "hall"), check("hall")))

    (arrival,) = rig.broker.broker().receive("executions", 10, 30, 2)

    said = json.loads(arrival.text)
    assert (said["specversion"], said["tenant"]) == ("1.0", "acme")
    assert "hall" not in arrival.text
    assert "body" not in said


def test_a_message_that_comes_again_after_it_was_done_is_thrown_away(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    (arrival,) = rig.broker.broker().receive("executions", 10, 0, 2)
    rig.broker.put("executions", arrival.text)
    rig.broker.put("executions", arrival.text)

    assert rig.finish(execution).status == "succeeded"
    rig.workers.run_until_idle()

    assert rig.broker.broker().receive("executions", 10, 0, 0.2) == []


def test_a_broker_that_is_away_loses_nothing_and_refuses_nobody(database, tmp_path):
    with an_sqs(f"run-{tmp_path.name}") as broker, a_world() as world:
        nowhere = {queue: f"{address}-nowhere" for queue, address in broker.addresses.items()}
        cut_off = Brokered(database, world, tmp_path / "data", broker, nowhere)
        execution = cut_off.start(cut_off.plan(act("switch", "hall"), check("hall")))
        assert len(cut_off.waiting()) == 1
        cut_off.close()

        connected = Brokered(database, world, tmp_path / "data", broker)
        connected.hurry()
        connected.tick()
        assert connected.finish(execution).status == "succeeded"
        connected.close()


def test_what_the_broker_loses_is_published_again(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    for each in rig.broker.broker().receive("executions", 10, 30, 2):
        rig.broker.broker().settle(each)
    rig.tick()
    assert rig.broker.broker().receive("executions", 10, 0, 0.2) == []

    ((hidden,),) = rig.rows(
        "SELECT extract(epoch FROM available_at - clock_timestamp()) FROM messages WHERE dead_at IS NULL AND type = 'AdvanceExecution'"
    )
    rig.hurry()
    rig.tick()

    assert outbox.LOST_AFTER_S - 60 < hidden < outbox.LOST_AFTER_S + 120
    assert rig.finish(execution).status == "succeeded"


def test_what_this_installation_did_not_write_is_not_acted_upon_and_is_in_the_log(rig):
    rig.start(rig.plan(act("switch", "hall"), check("hall")))
    (arrival,) = rig.broker.broker().receive("executions", 10, 600, 2)
    signature = json.loads(arrival.text)["signature"]
    forged = {
        arrival.text.replace('"tenant":"acme"', '"tenant":"evil"'),
        arrival.text.replace(signature, "0" * 64),
        '{"what": "is this"}',
        "not even JSON",
    }
    for each in forged:
        rig.broker.put("executions", each)

    dead: set[str] = set()
    until = time.monotonic() + 20
    while dead != forged and time.monotonic() < until:
        rig.workers.queue.take(["executions", "approvals"], 10, 0)
        dead |= set(rig.broker.dead_letters("executions"))

    assert dead == forged
    seen = rig.rows("SELECT type FROM events WHERE stream = :stream", INSTALLATION, stream=STREAM)
    assert seen == [("ForgedMessageSeen",)] * len(forged)


def test_a_forged_message_that_first_came_while_the_log_was_away_is_in_the_log_once(rig):
    reception = rig.workers.queue.reception
    forged = Arrival("executions", "not even JSON", times=1, handle=None)

    def away(_call):
        raise Unavailable("the database did not answer")

    with pytest.raises(Unavailable):
        replace(reception, begin=away).admit(forged, 1)
    for times in (2, 3):
        with pytest.raises(MessageUnreadable):
            reception.admit(replace(forged, times=times), 1)

    assert rig.rows("SELECT type FROM events WHERE stream = :stream", INSTALLATION, stream=STREAM) == [
        ("ForgedMessageSeen",)
    ]


def test_a_message_that_killed_its_workers_is_given_up_by_those_that_poll(database, tmp_path):
    with an_sqs(f"run-{tmp_path.name}") as broker, a_world() as world:
        rig = Brokered(database, world, tmp_path / "data", broker)
        rig.workers.max_deliveries = 2
        rig.start(rig.plan(act("switch", "hall"), check("hall")))
        for _ in range(2):
            rig.workers.queue.take(["executions"], 1, 0)

        rig.workers.run_until_idle()

        dead = rig.rows("SELECT last_error FROM messages WHERE dead_at IS NOT NULL")
        rig.close()
    assert dead == [("whoever worked on it never came to an end",)]
