"""What the benches share: the database's own pace, an application whose tools return at once, medians of rounds."""

import re
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from tests.world.rig import Rig

from carapulse.adapters.embedded.database import APP, DATABASE
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, binary
from carapulse.adapters.postgres.listener import Listener
from carapulse.bootstrap import App
from carapulse.tools.model import Invocation, Outcome, OutcomeKind

ROUNDS = 5


class AtOnce:
    """A toolbox whose tools succeed at once: what is measured is the price of governing a step, not of its effect."""

    def run(
        self, invocation: Invocation, *, on_line: Callable[[str], None], cancelled: threading.Event, deadline_s: float
    ) -> Outcome:
        """Say that it is done."""
        del invocation, on_line, cancelled, deadline_s
        return Outcome(kind=OutcomeKind.SUCCEEDED, detail="", output={"lit": True})


@dataclass(frozen=True)
class Bench:
    """One durable Postgres, an application on it, and pgbench beside it."""

    server: EmbeddedPostgres
    rig: Rig

    @property
    def app(self) -> App:
        """The application, with tools that return at once."""
        return self.rig.app

    def without_effects(self) -> "Bench":
        """Return the same bench with tools that return at once."""
        self.rig.app = replace(self.rig.app, toolbox=AtOnce())  # type: ignore[arg-type]
        return self

    @contextmanager
    def working(self, count: int) -> Iterator[None]:
        """Run so many workers, woken as in the real program."""
        workers = self.rig.new_workers(count)
        listener = Listener(self.server.url(APP, DATABASE), workers.nudge)
        workers.start()
        listener.start()
        try:
            yield
        finally:
            listener.stop()
            workers.stop(10)

    def commits_per_second(self, clients: int, seconds: int = 3) -> float:
        """Return what pgbench's simple-update commits per second on this server, just as durable."""
        where = ["-h", str(self.server.socket.parent), "-U", "postgres", "pgbench"]
        said = _run([str(binary("pgbench")), "-N", "-n", "-c", str(clients), "-T", str(seconds), *where])
        found = re.search(r"tps = ([0-9.]+) \(without", said)
        assert found, said
        return float(found.group(1))

    def prepare(self) -> None:
        """Make pgbench's tables."""
        where = ["-h", str(self.server.socket.parent), "-U", "postgres"]
        _run([str(binary("psql")), *where, "-c", "CREATE DATABASE pgbench"])
        _run([str(binary("pgbench")), "-i", "-q", "-s", "10", *where, "pgbench"])


def middle(values: list[float]) -> float:
    """Return the median."""
    return float(median(values))


def cpu_seconds() -> float:
    """Return what this process has used of the processor."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(function: Callable[[], Any]) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
