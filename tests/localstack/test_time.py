"""What only time brings: an attempt whose worker is silent, or whose message was lost, is asked for again."""

import json

import pytest
from tests.world.conducted import Conducted
from tests.world.localstack import a_machine_of
from tests.world.rig import act, check
from tests.world.server import a_world

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def rig(localstack, database, tmp_path):
    with a_machine_of(f"time-{tmp_path.name}") as machine, a_world() as world:
        one = Conducted(database.app_url, world, tmp_path / "data", machine, visibility_s=10)
        one.patience_s = 150.0
        yield one
        one.close()


def test_an_attempt_of_which_nothing_is_heard_for_a_minute_is_asked_for_again(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    rig.until(lambda: lost(rig))
    with rig.working():
        assert rig.finish(execution).status == "succeeded"

    (arn,) = rig.machine.executions()
    assert rig.machine.entered(arn).count("Attempt") == 3
    assert rig.world.counts == {"PUT hall": 1}


def lost(rig):
    """Work off what the machine asks of the function orchestration, and lose what it has attempted."""
    rig.workers_of({"orchestration"}).run_until_idle()
    broker = rig.machine.queues.broker()
    taken = [each for each in broker.receive("executions", 10, 30, 0) if json.loads(each.text).get("asked")]
    for each in taken:
        broker.settle(each)
    return bool(taken)
