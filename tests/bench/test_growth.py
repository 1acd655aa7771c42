"""What a step costs while 10, 100, 1,000 and 10,000 plans wait for an approval: each in a database of its own."""

from contextlib import ExitStack, contextmanager

import pytest
from tests.bench.child import Children
from tests.bench.figures import ROUNDS, line, ratio, said
from tests.bench.measuring import Bench, Look, make_database, timed
from tests.builders.instant import an_instant_rig
from tests.builders.waiting import wait_for_approval

pytestmark = pytest.mark.timeout(900)
_LEVELS = (10, 100, 1_000, 10_000)
_STEPS = 10
_THREADS = 4
_ROUND_S = 1.0
_FEWEST, _MOST = 4, 60  # runs of one round


class Level:
    """One process of ours on a database in which so many plans wait."""

    def __init__(self, children: Children, look: Look) -> None:
        self.children, self.look = children, look
        self.rates: list[float] = []

    def drain(self, runs: int) -> float:
        """Execute so many plans while nobody works, and return the steps per second of the workers that then start."""
        self.children.ask("prepare", runs=runs)
        self.children.ask("execute")

        def work() -> None:
            self.children.ask("work", threads=_THREADS)
            self.look.wait_until_over()

        rate = runs * _STEPS / timed(work)
        assert all(self.children.ask("rest"))
        return rate


@contextmanager
def level(bench: Bench, waiting: int):
    name = f"waiting_{waiting}"
    folder = bench.rig.folder.with_name(name)
    url = make_database(bench.server, name)
    rig = an_instant_rig(url, folder)
    with bench.looking(name) as look:
        wait_for_approval(rig, look.connection, waiting)
        rig.close()
        with Children(1, "tests.bench.ours", url=url, folder=str(folder)) as children:
            yield Level(children, look)


def test_a_step_beside_plans_that_wait(bench):
    with ExitStack() as stack:
        levels = {waiting: stack.enter_context(level(bench, waiting)) for waiting in _LEVELS}
        first = min(each.drain(_FEWEST) for each in levels.values())
        runs = int(min(_MOST, max(_FEWEST, first * _ROUND_S / _STEPS)))
        for _ in range(ROUNDS):
            for each in levels.values():
                each.rates.append(each.drain(runs))

    line("\nplans that wait, one process draining", "steps/s", "beside the fewest")
    fewest = levels[_LEVELS[0]].rates
    for waiting, each in levels.items():
        line(f"{waiting:9,}", said(each.rates), f"{ratio(each.rates, fewest):.2f}")
    assert min(fewest) > 0
