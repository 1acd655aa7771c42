"""Workers in this process: threads that take messages from a queue until they are told to stop."""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from carapulse.adapters.postgres.queue import Delivery
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Unavailable
from carapulse.metrics import Count
from carapulse.observe import get_logger
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.handling import Answers, Handling
from carapulse.runtime.pausing import pause_s

log = get_logger(__name__)
_IDLE_S = 1.0  # a lost wake-up costs no more than this
_LONGEST_PAUSE_S = 5.0  # a database that is back is asked again no later than this

FAILED = Count("carapulse_queue_failures_total", "Times that a worker could not ask the queue, or answer it")


class Queue(Answers, Protocol):
    """The receiving side of a queue: what can be taken, kept hidden while it is worked on, and answered."""

    def take(self, queues: Sequence[str], how_many: int, visibility_s: float) -> list[Delivery]:
        """Take due messages, hiding each for so many seconds."""
        ...

    def extend(self, delivery: Delivery, visibility_s: float) -> bool:
        """Keep the message hidden for so many seconds more; False if it is no longer ours."""
        ...


@dataclass
class Workers:
    """A pool of worker threads over one queue and one dispatcher."""

    queue: Queue
    dispatcher: Dispatcher
    ports: object
    clock: Clock
    count: int
    visibility_s: float
    max_deliveries: int
    idle_s: float = _IDLE_S
    _woken: threading.Condition = field(default_factory=threading.Condition)
    _nudges: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _held: dict[int, Delivery] = field(default_factory=dict)

    def start(self) -> None:
        """Start the threads: the workers, and one that keeps their messages hidden."""
        names = [f"worker-{number}" for number in range(self.count)]
        for name, target in [*((name, self._work) for name in names), ("heartbeat", self._beat)]:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Take nothing more."""
        self._stopping.set()
        self.nudge()

    def stop(self, timeout_s: float) -> bool:
        """Take nothing more and wait for what runs; False if something still ran (it will be redelivered)."""
        self.close()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def nudge(self, queues: Collection[str] | None = None) -> None:
        """Wake idle workers: there may be a message, in one of these queues if they are named."""
        if queues is not None and not set(queues) & set(self.dispatcher.queues):
            return
        with self._woken:
            self._nudges += 1
            self._woken.notify_all()

    def run_until_idle(self) -> None:
        """Handle what is due now in the calling thread, until nothing is left: for tests and for one-shot jobs."""
        while self._take_one():
            pass

    @cached_property
    def _handling(self) -> Handling:
        return Handling(self.queue, self.dispatcher, self.ports, self.clock, self.max_deliveries)

    def _work(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            heard = self._nudges
            found = self._take_or_report()
            failures = failures + 1 if found is None else 0
            if found is None:
                self._stopping.wait(pause_s(failures, _LONGEST_PAUSE_S))
            elif not found:
                with self._woken:
                    self._woken.wait_for(lambda heard=heard: self._nudges != heard, self.idle_s)  # type: ignore[misc]

    def _take_or_report(self) -> bool | None:
        """Return whether there was a message; None if the queue could not be asked or answered."""
        try:
            return self._take_one()
        except Unavailable as problem:
            log.warning("queue_unavailable", detail=problem.detail, cause=repr(problem.__cause__))
        except Exception:  # the edge: a worker that died would be missed by nobody
            log.exception("worker_failed")
        FAILED.add()
        return None

    def _take_one(self) -> bool:
        deliveries = self.queue.take(self.dispatcher.queues, 1, self.visibility_s)
        for delivery in deliveries:
            with self._kept_hidden(delivery):
                self._handling.handle(delivery)
        return bool(deliveries)

    @contextmanager
    def _kept_hidden(self, delivery: Delivery) -> Iterator[None]:
        key = threading.get_ident()  # not the message: after a missed heartbeat two threads may be at the same one
        self._held[key] = delivery
        try:
            yield
        finally:
            del self._held[key]

    def _beat(self) -> None:
        while not self._stopping.wait(self.visibility_s / 3):
            for delivery in list(self._held.values()):
                try:
                    self.queue.extend(delivery, self.visibility_s)
                except Exception:  # the edge: without the heartbeat, messages would be given to two workers
                    log.exception("heartbeat_missed", message_id=delivery.id)
