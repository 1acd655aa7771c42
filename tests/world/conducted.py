"""A rig whose changes a state machine carries: it asks by queues, and workers answer."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text
from tests.world.machines import MachineWorld
from tests.world.rig import Rig, a_call
from tests.world.server import World

from carapulse.executions.model import ExecutionState
from carapulse.runtime.areas import handlers
from carapulse.runtime.brokered import queue_of
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.workers import Workers


class Conducted(Rig):
    """An installation whose changes a state machine carries."""

    def __init__(self, database_url: str, world: World, folder: Path, machine: MachineWorld, **settings: Any) -> None:
        self.machine = machine
        super().__init__(database_url, world, folder, **{**machine.settings(), "visibility_s": 20, **settings})

    def new_workers(self, count: int = 1) -> Workers:
        return self._workers(handlers(self.settings.orchestrator), count)

    def workers_of(self, queues: set[str]) -> Workers:
        """Return a worker for just these queues."""
        return self._workers(handlers(self.settings.orchestrator).only(queues), 1)

    def _workers(self, reacting: Dispatcher, count: int) -> Workers:
        chosen = self.settings
        return Workers(
            queue_of(self.app), reacting, self.app, self.app.clock, count, chosen.visibility_s, chosen.max_deliveries
        )

    @contextmanager
    def working(self, count: int = 3) -> Iterator[None]:
        """Have workers at every queue meanwhile."""
        workers = self.new_workers(count)
        workers.start()
        try:
            yield
        finally:
            self.app.stopping.set()
            assert workers.stop(10)
            self.app.stopping.clear()

    def finish(self, execution_id: str, seconds: float = 40) -> ExecutionState:
        """Wait until the execution is at rest, and its machine over if it is over."""
        self.until(lambda: self.state(execution_id).status.at_rest, seconds)
        return self.state(execution_id)

    def until(self, holds: Callable[[], bool], seconds: float = 40) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.told()
            time.sleep(0.05)

    def stands(self, where: str) -> None:
        """Wait until the one machine stands still somewhere."""
        self.until(lambda: (where,) in self.rows("SELECT asked FROM machine_waits"))

    def told(self) -> dict[str, list[str]]:
        """Return which states each machine has entered."""
        return {arn.rpartition(":")[2]: self.machine.entered(arn) for arn in self.machine.executions()}

    def rows(self, query: str, **given: Any) -> list[Any]:
        with self.app.begin(a_call()) as work:
            return list(work.connection.execute(text(query), given).all())
