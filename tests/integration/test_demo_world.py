"""The demo's world by itself: what the repository declares is what runs, and it behaves as its code does."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from carapulse.surfaces.demo.processes import descendants, still_running
from carapulse.surfaces.demo.repository import declaration
from carapulse.surfaces.demo.world import World


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as world:
        world.begin("1.4.0")
        yield world


def test_the_declared_release_runs_and_takes_orders(world):
    order = world.order()

    state = world.application()["status"]
    assert (order.status, order.version) == (200, "1.4.0")
    assert state["sync"] == {"status": "Synced", "revision": world.repository.head()}
    assert state["summary"]["images"] == ["checkout:1.4.0"]
    assert world.repository.declared() == declaration("1.4.0")


def test_the_leaky_release_fails_once_its_pool_is_empty_and_the_old_one_heals(world):
    world.release("1.5.0")

    assert world.await_failures(50) >= 50

    world.release("1.4.0")
    assert world.order().status == 200


def test_the_slow_release_is_slow_and_healthy_at_the_same_time(world):
    world.release("1.6.0")

    order = world.order()
    assert (order.status, order.version) == (200, "1.6.0")
    assert order.seconds > 0.4
    assert world.application()["status"]["health"]["status"] == "Healthy"


def test_nothing_is_left_when_the_world_ends(tmp_path):
    with World(tmp_path) as world:
        world.begin("1.4.0")
        assert world.reconciler is not None
        started = {world.reconciler.pid} | descendants(world.reconciler.pid)
        assert world.application()["process"] in started
        assert still_running(started, tmp_path, grace_s=0)

    assert still_running(started, tmp_path) == []


def test_nothing_is_left_when_the_demo_is_killed(tmp_path):
    program = """
        import sys, time
        from pathlib import Path
        from carapulse.surfaces.demo.world import World
        with World(Path(sys.argv[1])) as world:
            world.begin("1.4.0")
            print(world.reconciler.pid, world.application()["process"], flush=True)
            time.sleep(60)
    """
    demo = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], stdout=subprocess.PIPE)
    assert demo.stdout is not None
    started = {int(pid) for pid in demo.stdout.readline().split()}

    os.kill(demo.pid, signal.SIGKILL)
    demo.wait()
    demo.stdout.close()

    time.sleep(0.1)
    assert still_running(started, tmp_path) == []
