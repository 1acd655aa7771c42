"""What governing a step costs, beside DBOS and beside pgbench on the same Postgres. Numbers, not verdicts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.bench.child import Children
from tests.bench.engines import PROCESSES, STEPS, Figures, Ours, Theirs
from tests.bench.figures import ROUNDS, line, ratio, said
from tests.bench.measuring import Bench

from carapulse.adapters.embedded.database import APP, DATABASE

pytestmark = pytest.mark.timeout(900)
_ROUND_S = 4.0  # how long one engine works in one round: long beside what workers take to begin
_FEWEST, _MOST = 5, 300  # runs of one process in one round


@contextmanager
def ours(bench: Bench) -> Iterator[Ours]:
    given = {"url": bench.server.url(APP, DATABASE), "folder": str(bench.rig.folder)}
    with Children(PROCESSES, "tests.bench.ours", **given) as children, bench.looking() as look:
        yield Ours(bench, children, look)


@contextmanager
def theirs(bench: Bench) -> Iterator[Theirs]:
    url = f"postgresql+psycopg://postgres@/dbos?host={bench.server.socket.parent}"
    with Children(PROCESSES, "tests.bench.theirs", url=url, pool=8, threads=4) as children:
        yield Theirs(bench, children)


def enough(rate: float) -> int:
    """Return how many runs each process needs for a round that is long enough."""
    return int(min(_MOST, max(_FEWEST, rate * _ROUND_S / STEPS / PROCESSES)))


def tune(us: Ours, them: Theirs) -> tuple[int, int]:
    """Find each engine's best number of threads, and how many runs make a round."""
    first, their_first = us.drain(_FEWEST, 2, Figures()), them.run(_FEWEST, 2, Figures())
    mine = {threads: us.drain(enough(first), threads, Figures()) for threads in (1, 2, 4, 8, 16)}
    direct = {threads: them.run(enough(their_first), threads, Figures()) for threads in (1, 2, 4)}
    queue = them.queue(enough(their_first), Figures())
    us.threads, them.threads = max(mine, key=mine.__getitem__), max(direct, key=direct.__getitem__)
    line("\nour threads a process: steps/s", "", ", ".join(f"{count}: {rate:.0f}" for count, rate in mine.items()))
    found = [f"{count}: {rate:.0f}" for count, rate in direct.items()]
    line("DBOS, threads a process: steps/s", "", ", ".join([*found, f"by its queue: {queue:.0f}"]))
    return enough(max(mine.values())), enough(max(direct.values()))


def test_the_price_of_a_step(bench):
    one, four = [], []
    with ours(bench) as us, theirs(bench) as them:
        my_runs, their_runs = tune(us, them)
        for _ in range(ROUNDS):
            us.drain(my_runs, us.threads, us.draining)
            them.run(their_runs, them.threads, them.figures)
            four.append(bench.commits_per_second(4, 2))
            us.start_and_drain(my_runs, us.with_starts)
            one.append(bench.commits_per_second(1, 2))

    line(
        f"\n{PROCESSES} processes, {my_runs * PROCESSES} runs of {STEPS} steps at once",
        "steps/s",
        "ratio, CPU ms a step: workers, database",
    )
    for name, figures in (
        (f"Carapulse, {us.threads} threads, draining", us.draining),
        (f"Carapulse, {us.threads} threads, with the starts", us.with_starts),
        (f"DBOS, {them.threads} threads", them.figures),
    ):
        beside = f"{ratio(figures.rates, them.figures.rates):6.2f} DBOS {ratio(figures.rates, four):7.3f} pgbench(4)"
        used = f"CPU {said(figures.workers, 1)} {said(figures.database, 1)}"
        line(name, said(figures.rates), f"{beside}   {used}")
    line("pgbench -N, 4 clients, commits/s", said(four))
    line("pgbench -N, 1 client, commits/s", said(one))
    assert min(us.draining.rates) > 0
