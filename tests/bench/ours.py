"""One process of ours: an application of its own, plans to execute, and workers that rest until they are told."""

import json
import sys
import time
from pathlib import Path

from tests.bench.child import obey
from tests.builders.instant import an_instant_rig, noops
from tests.world.rig import a_call

from carapulse.adapters.postgres.listener import Listener
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.runtime.workers import Workers

MOST_THREADS = 16


class Process:
    """What one process of the bench can be told to do."""

    def __init__(self, name: str, url: str, folder: str) -> None:
        self.name, self.url = name, url
        self.rig = an_instant_rig(url, Path(folder), workers=MOST_THREADS)
        self.approved: list[str] = []
        self.workers: Workers | None = None

    def prepare(self, runs: int) -> int:
        """Create and approve so many plans."""
        for _ in range(runs):
            plan = noops(self.rig, self.name)
            self.rig.approve(plan)
            self.approved.append(plan.plan_id)
        return len(self.approved)

    def execute(self) -> int:
        """Begin to execute every plan that was prepared."""
        begun, self.approved = self.approved, []
        for plan_id in begun:
            execute_plan(plan_id, ExecutePlan(), a_call(), self.rig.app)
        return len(begun)

    def work(self, threads: int) -> None:
        """Start workers, woken as in the real program."""
        self.workers = self.rig.new_workers(threads)
        self.listener = Listener(self.url, self.workers.nudge)
        self.workers.start()
        self.listener.start()

    def rest(self) -> bool:
        """Stop the workers."""
        assert self.workers is not None
        self.listener.stop()
        return self.workers.stop(10)


def main() -> None:
    """Do what the parent says."""
    process = Process(**json.loads(sys.argv[1]))
    obey(
        {
            "prepare": process.prepare,
            "execute": process.execute,
            "work": process.work,
            "rest": process.rest,
            "used": time.process_time,
        }
    )


if __name__ == "__main__":
    main()
