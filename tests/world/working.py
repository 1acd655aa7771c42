"""A rig at which workers are meanwhile: on the database's own queue, on a broker's, or for a state machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from tests.world.rig import Rig, a_call

from carapulse.executions.model import ExecutionState
from carapulse.runtime.areas import handlers
from carapulse.runtime.brokered import queue_of
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.minute import tickers
from carapulse.runtime.workers import Workers


class Working(Rig):
    """An installation as its settings say, worked for by threads."""

    patience_s = 40.0
    idle_s = 0.2  # nobody nudges these workers, so this is what each message waits for

    def new_workers(self, count: int = 1) -> Workers:
        return self._workers(handlers(self.settings.orchestrator), count)

    def workers_of(self, queues: set[str]) -> Workers:
        """Return a worker for just these queues."""
        return self._workers(handlers(self.settings.orchestrator).only(queues), 1)

    @contextmanager
    def working(self, count: int = 3) -> Iterator[None]:
        """Have workers at every queue meanwhile, and somebody who does what is due every second."""
        workers, (second, _) = self.new_workers(count), tickers(self.app)
        workers.start()
        second.start()
        try:
            yield
        finally:
            second.stop()
            self.app.stopping.set()
            assert workers.stop(10)
            self.app.stopping.clear()

    def finish(self, execution_id: str, seconds: float | None = None) -> ExecutionState:
        """Wait until the execution is at rest."""
        self.until(lambda: self.state(execution_id).status.at_rest, seconds)
        return self.state(execution_id)

    def until(self, holds: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until something holds."""
        end = time.monotonic() + (seconds or self.patience_s)
        while not holds():
            assert time.monotonic() < end, self.told()
            time.sleep(0.05)

    def told(self) -> object:
        """Return what tells why something is not so yet."""
        return self.rows("SELECT type, body FROM messages")

    def rows(self, query: str, *, tenant: str = "acme", **given: Any) -> list[Any]:
        """Ask the database, as one tenant."""
        with self.app.begin(a_call(tenant=tenant)) as work:
            return list(work.connection.execute(text(query), given).all())

    def _workers(self, reacting: Dispatcher, count: int) -> Workers:
        chosen = self.settings
        how = (count, chosen.visibility_s, chosen.max_deliveries, self.idle_s)
        return Workers(queue_of(self.app), reacting, self.app, self.app.clock, *how)
