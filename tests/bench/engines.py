"""Two engines that are asked for the same: many runs of ten steps at once, in two processes on one Postgres."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.child import Children
from tests.bench.measuring import Bench, Look

STEPS = 10
PROCESSES = 2


@dataclass
class Figures:
    """What the rounds gave: steps per second, and CPU milliseconds per step of the workers and of the database."""

    rates: list[float] = field(default_factory=list)
    workers: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    def add(self, steps: int, bench: Bench, children: Children, work: Callable[[], Any]) -> float:
        """Measure work of so many steps and return its steps per second."""
        workers, database, began = sum(children.ask("used")), bench.used(), time.perf_counter()
        work()
        rate = steps / (time.perf_counter() - began)
        self.rates.append(rate)
        self.workers.append((sum(children.ask("used")) - workers) / steps * 1000)
        self.database.append((bench.used() - database) / steps * 1000)
        return rate


@dataclass
class Ours:
    """Carapulse: plans are created and approved before the clock starts."""

    bench: Bench
    children: Children
    look: Look
    threads: int = 0
    draining: Figures = field(default_factory=Figures)
    with_starts: Figures = field(default_factory=Figures)

    def drain(self, runs: int, threads: int, figures: Figures) -> float:
        """Execute plans while nobody works, then measure from the workers' start to the end of the last run."""
        self.children.ask("prepare", runs=runs)
        self.children.ask("execute")
        return self._measured(runs, figures, lambda: self.children.ask("work", threads=threads))

    def start_and_drain(self, runs: int, figures: Figures) -> float:
        """Measure from the moment when the first plan is executed, by the processes that also work."""
        self.children.ask("prepare", runs=runs)

        def work() -> None:
            self.children.ask("work", threads=self.threads)
            self.children.ask("execute")

        return self._measured(runs, figures, work)

    def _measured(self, runs: int, figures: Figures, begin: Callable[[], Any]) -> float:
        def work() -> None:
            begin()
            self.look.wait_until_over()

        rate = figures.add(runs * PROCESSES * STEPS, self.bench, self.children, work)
        assert all(self.children.ask("rest"))
        return rate


@dataclass
class Theirs:
    """DBOS: workflows called by threads directly, which is its best setting here; its queue is tried once."""

    bench: Bench
    children: Children
    threads: int = 0
    figures: Figures = field(default_factory=Figures)

    def run(self, runs: int, threads: int, figures: Figures) -> float:
        """Measure so many workflows for each process."""
        steps = runs * PROCESSES * STEPS
        return figures.add(
            steps, self.bench, self.children, lambda: self.children.ask("run", runs=runs, threads=threads)
        )

    def queue(self, runs: int, figures: Figures) -> float:
        """Measure them through its queue."""
        steps = runs * PROCESSES * STEPS
        return figures.add(steps, self.bench, self.children, lambda: self.children.ask("enqueue", runs=runs))
