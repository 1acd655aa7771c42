"""A queue that gives messages twice, late, in any order or not at all: the same end, and each effect once."""

import os
import threading
import time
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from tests.world.chaos import UnrulyQueue
from tests.world.replay import replayed
from tests.world.rig import Rig, a_call, act, check

from carapulse.executions.model import ExecutionState, Status
from carapulse.plans.views import PlanView
from carapulse.runtime.areas import handlers
from carapulse.runtime.workers import Workers

SEEDS = range(int(os.environ.get("CARAPULSE_CHAOS", "4")))
WIDE: dict[str, Any] = {"constraints": {"max_concurrency": 3}}


@pytest.fixture
def rig(database, world, tmp_path):
    """Build the application; a lease outlasts a machine that is busy with others."""
    built = Rig(database.app_url, world, tmp_path / "data", visibility_s=20, turn_s=0.1)
    yield built
    built.close()


def in_disorder(rig: Rig, seed: int) -> list[Workers]:
    """Return two pools, each with an unruly queue of its own, that hand every message to each other."""
    queues = [UnrulyQueue(rig.app.queue, 2 * seed + n) for n in range(2)]
    return [Workers(queue, handlers(rig.settings.orchestrator), rig.app, rig.app.clock, 3, 20, 8) for queue in queues]


def finished(rig: Rig, seed: int, *executions: str) -> list[ExecutionState]:
    """Let the pools work until all is at rest, and then until what is still on its way has come."""
    pools = in_disorder(rig, seed)
    for pool in pools:
        pool.start()
    until = time.monotonic() + 60
    while not all(rig.state(each).status.at_rest for each in executions):
        assert time.monotonic() < until, told([rig.state(each) for each in executions], rig)
        for pool in pools:
            pool.nudge()
        threading.Event().wait(0.02)
    assert all(pool.stop(10) for pool in pools)
    rig.workers.run_until_idle()
    return [rig.state(each) for each in executions]


def told(states: list[ExecutionState], rig: Rig) -> str:
    """Return how far each step has come and which messages there still are, for whoever reads of a failure."""
    steps = [(state.status, step.facts.id, step.run) for state in states for step in state.steps]
    lines = [f"{status} {name} {run.status} {run.attempts} {run.error}" for status, name, run in steps]
    with rig.app.begin(a_call()) as work:
        rows = work.connection.execute(text("SELECT body, attempts, available_at, dead_at, last_error FROM messages"))
        return "\n".join([*lines, *map(str, rows)])


def fan(*lamps: str) -> dict[str, Any]:
    """Return a bell for each lamp, three at a time."""
    step = act("ring", "x", id="bells", for_each={"values": lamps, "max_concurrency": 3})
    return {**step, "input": {"lamp": {"$each": "@"}}}


def plans(rig: Rig) -> list[PlanView]:
    rig.world.busy = {"PUT late": 1}
    return [
        rig.plan(
            act("switch", "hall", id="hall"),
            act("toggle", "attic", id="attic"),
            act("switch", "roof", id="roof", depends_on=["hall", "attic"]),
            act("ring", "bell", id="bell", depends_on=["hall"]),
            check("roof"),
            **WIDE,
        ),
        rig.plan(act("switch", "one"), act("toggle", "two"), act("switch", "three"), check("never")),
        rig.plan(fan("b1", "b2", "b3", "b4", "b5"), check("b1", on=False), **WIDE),
        rig.plan(act("switch", "late"), {"stage": "verify", "wait": {"for_s": 0.2}}, check("late", attempts=3)),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_is_the_same_and_each_effect_takes_place_once(rig, database, seed):
    made = plans(rig)

    states = finished(rig, seed, *[rig.start(each) for each in made])

    done, undone = Status.SUCCEEDED, Status.ROLLED_BACK
    assert [state.status for state in states] == [done, undone, done, done], told(states, rig)
    assert [state.left for state in states] == [()] * 4
    once = ["PUT hall", "toggle attic", "PUT roof", "ring bell", "toggle two", "PUT two", "PUT late"]
    once += [f"ring b{n}" for n in range(1, 6)]
    assert rig.world.counts == Counter(once) + Counter({"PUT one": 2, "PUT three": 2})
    for plan, state in zip(made, states, strict=True):
        assert replayed(rig.app, plan.plan_id) == state
    with database.as_superuser() as connection:
        for table in ("run_leases", "target_locks"):
            assert connection.run(f"SELECT * FROM {table}") == []
