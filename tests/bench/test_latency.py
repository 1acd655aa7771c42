"""How long one run takes when nothing else goes on, and how soon an approval has its first effect."""

import time

import pytest
from tests.bench.child import Children
from tests.bench.figures import ROUNDS, line, percentile
from tests.bench.measuring import Bench, Look
from tests.builders.instant import instant, noops
from tests.world.rig import a_call

from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.settings import Settings

pytestmark = pytest.mark.timeout(300)
_EACH = 4
_PAUSE_S = 0.1  # the workers have looked at an empty queue by then, and wait
_THREADS = Settings.model_fields["workers"].default


class FirstCall:
    """The moment of a plan's first effect."""

    def __init__(self) -> None:
        self.at: float | None = None

    def __call__(self) -> None:
        """Be told of a call of a tool; only the first counts until somebody forgets it."""
        if self.at is None:
            self.at = time.perf_counter()


def one_run(bench: Bench, look: Look, first: FirstCall) -> tuple[float, float]:
    """Return the seconds from executing an approved plan to its end, and from the approval to its first effect."""
    plan = noops(bench.rig, "alone")
    time.sleep(_PAUSE_S)
    first.at = None
    asked = time.perf_counter()
    bench.rig.approve(plan)
    began = time.perf_counter()
    execute_plan(plan.plan_id, ExecutePlan(), a_call(), bench.app)
    look.wait_until_over()
    over = time.perf_counter()
    assert first.at is not None
    return over - began, first.at - asked


def theirs(bench: Bench) -> Children:
    url = f"postgresql+psycopg://postgres@/dbos?host={bench.server.socket.parent}"
    return Children(1, "tests.bench.theirs", url=url, pool=8, threads=4)


def said(values: list[float]) -> str:
    return f"{percentile(values, 50) * 1000:9,.0f} /{percentile(values, 95) * 1000:6,.0f} ms"


def test_the_time_of_one_run(bench):
    runs, effects, others = [], [], []
    first = FirstCall()
    instant(bench.rig, first)
    with bench.looking() as look, theirs(bench) as them, bench.working(_THREADS):
        one_run(bench, look, first)
        for _ in range(ROUNDS):
            mine = [one_run(bench, look, first) for _ in range(_EACH)]
            runs += [run for run, _ in mine]
            effects += [effect for _, effect in mine]
            others += them.ask("alone", runs=_EACH)[0]

    line("\none run of 10 steps, nothing else going on", "p50 /   p95")
    line(
        "Carapulse, from executing to the end",
        said(runs),
        f"{percentile(runs, 50) / percentile(others, 50):.2f} of DBOS",
    )
    line("Carapulse, from approving to the first effect", said(effects))
    line("DBOS, workflow called to its end", said(others))
    assert len(runs) == ROUNDS * _EACH
