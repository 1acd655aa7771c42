"""One code base in several ways: whatever becomes of a change, its log says the same, whoever brings the messages."""

import json
from contextlib import contextmanager

import pytest
from tests.builders.once import once
from tests.conftest import a_database
from tests.world.conducted import Conducted
from tests.world.machines import a_machine
from tests.world.pubsub import a_pubsub
from tests.world.server import a_world
from tests.world.sqs import an_sqs
from tests.world.tales import TALES, embedded, told_on
from tests.world.working import Working


def brokered(a_broker):
    """A broker brings messages."""

    @contextmanager
    def on(database, folder):
        with a_broker(f"log-{folder.name}") as broker, a_world() as world:
            yield Working(database.app_url, world, folder, queue=broker.name, queue_addresses=broker.addresses)

    return on


@contextmanager
def conducted(database, folder):
    """A state machine carries changes, and SQS brings what it asks."""
    with a_machine(f"log-{folder.name}") as machine, a_world() as world:
        yield Conducted(database.app_url, world, folder, machine)


WAYS = {"sqs": brokered(an_sqs), "pubsub": brokered(a_pubsub), "step-functions": conducted}


@pytest.fixture(scope="module")
def reference(postgres, tmp_path_factory):
    def told(folder):
        with a_database(postgres) as one:
            return told_on(embedded(one, folder / "data"))

    return once(tmp_path_factory, "same-log", told)


@pytest.mark.parametrize("way", WAYS)
def test_the_log_is_the_same(way, reference, database, tmp_path):
    told = json.loads(json.dumps(told_on(WAYS[way](database, tmp_path / way))))

    for name in TALES:
        assert told[name] == reference[name], name
