"""On LocalStack, the strictest reader of what Step Functions promises, the log of every tale is the same, too."""

from contextlib import contextmanager

import pytest
from tests.world.conducted import Conducted
from tests.world.localstack import a_machine_of, queues_of
from tests.world.server import a_world
from tests.world.tales import TALES, embedded, told_on
from tests.world.working import Working

pytestmark = pytest.mark.timeout(300)
PATIENCE_S = 150.0  # it takes seconds for what takes Step Functions milliseconds, with seven machines at once


@contextmanager
def brokered(database, folder):
    with queues_of(f"log-{folder.parent.name}") as queues, a_world() as world:
        yield patient(Working(database.app_url, world, folder, queue="sqs", queue_addresses=queues.addresses))


@contextmanager
def conducted(database, folder):
    with a_machine_of(f"log-{folder.parent.name}") as machine, a_world() as world:
        yield patient(Conducted(database.app_url, world, folder, machine))


def patient(rig):
    rig.patience_s = PATIENCE_S
    return rig


@pytest.mark.parametrize("way", [brokered, conducted], ids=["sqs", "step-functions"])
@pytest.mark.usefixtures("localstack")
def test_the_log_is_the_same(way, module_database, database, tmp_path):
    reference = told_on(embedded(module_database, tmp_path / "embedded"))
    told = told_on(way(database, tmp_path / "there"))

    for name in TALES:
        assert told[name] == reference[name], name
