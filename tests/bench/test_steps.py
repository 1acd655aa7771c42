"""What governing a step costs, beside what the same Postgres commits in the same run. Numbers, not verdicts."""

import time
from itertools import count

import pytest
from tests.bench.measuring import ROUNDS, Bench, cpu_seconds, middle, timed
from tests.world.rig import act, check

pytestmark = pytest.mark.timeout(600)
_STEPS = 10
_MANY = 20
_numbers = count(1)


def a_plan(bench: Bench):
    number = next(_numbers)
    changes = [act("switch", f"lamp-{number}-{step}") for step in range(_STEPS - 1)]
    return bench.rig.plan(*changes, check(f"lamp-{number}-0"))


def finish(bench: Bench, executions):
    while any(not bench.rig.state(each).status.at_rest for each in executions):
        time.sleep(0.005)


def one_run(bench: Bench) -> float:
    plan = a_plan(bench)

    def run():
        finish(bench, [bench.rig.start(plan)])

    return timed(run)


def many_runs(bench: Bench) -> tuple[float, float]:
    plans = [a_plan(bench) for _ in range(_MANY)]
    before, began = cpu_seconds(), time.perf_counter()
    finish(bench, [bench.rig.start(plan) for plan in plans])
    steps = _MANY * _STEPS
    return steps / (time.perf_counter() - began), (cpu_seconds() - before) / steps


def test_the_price_of_a_step(bench):
    bench.without_effects()
    latencies, rates, costs, floors = [], [], [], []
    with bench.working(4):
        for _ in range(ROUNDS):
            floors.append(bench.commits_per_second(4))
            latencies.append(one_run(bench))
            rate, cost = many_runs(bench)
            rates.append(rate)
            costs.append(cost)

    floor, rate = middle(floors), middle(rates)
    print(f"\npgbench simple-update, 4 clients       {floor:10.0f} commits/s")
    print(f"one run of 10 steps, nothing else      {middle(latencies) * 1000:10.0f} ms")
    print(f"{_MANY} runs at once, 4 workers            {rate:10.0f} steps/s = {rate / floor:.3f} of pgbench")
    print(f"processor per step, this process       {middle(costs) * 1000:10.1f} ms")
    assert rate > 0
