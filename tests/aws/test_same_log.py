"""On MiniStack, whose state machines are its own, the log of every tale is the same as on a laptop."""

from contextlib import contextmanager

import boto3
import pytest
from tests.aws.cloud import a_cloud
from tests.world.aws import set_in_environment
from tests.world.conducted import Conducted
from tests.world.machines import deployed
from tests.world.server import a_world
from tests.world.sqs import SqsWorld, queue_of
from tests.world.tales import TALES, embedded, told_on

from carapulse.kernel.message import ORCHESTRATION, QUEUES

pytestmark = pytest.mark.timeout(300)


@contextmanager
def conducted(database, folder):
    with a_cloud(folder) as cloud, set_in_environment(cloud.url), a_world() as world:
        client = boto3.client("sqs")
        addresses = {queue: queue_of(client, f"log-{queue}") for queue in QUEUES | {ORCHESTRATION}}
        machine = deployed(SqsWorld(client, addresses, None, {}), "log")
        rig = Conducted(database.app_url, world, folder / "data", machine)
        rig.patience_s = 150.0
        yield rig


def test_the_log_is_the_same(module_database, database, tmp_path):
    reference = told_on(embedded(module_database, tmp_path / "embedded"))
    told = told_on(conducted(database, tmp_path))

    for name in TALES:
        assert told[name] == reference[name], name
