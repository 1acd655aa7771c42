"""Workers in this process: threads that take messages from the Postgres queue until they are told to stop."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from carapulse.adapters.postgres.queue import Delivery, PostgresQueue
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Invalid, Problem, Unavailable
from carapulse.metrics import Count
from carapulse.observe import get_logger
from carapulse.runtime.dispatch import Dispatcher, call_of
from carapulse.runtime.pausing import pause_s

log = get_logger(__name__)
_IDLE_S = 1.0  # a lost wake-up costs no more than this
_LONGEST_DELAY_S = 60.0
_LONGEST_PAUSE_S = 5.0  # a database that is back is asked again no later than this
_LONGEST_REASON = 2000
_PATIENT_DELIVERIES = 1000  # what only waits for something outside is not a poisoned message

RETRIED = Count("carapulse_messages_retried_total", "Messages given back to be tried again", {"queue": None})
BURIED = Count("carapulse_messages_buried_total", "Messages that became dead letters", {"queue": None})
FAILED = Count("carapulse_queue_failures_total", "Times that a worker could not ask the queue, or answer it")


@dataclass
class Workers:
    """A pool of worker threads over one queue and one dispatcher."""

    queue: PostgresQueue
    dispatcher: Dispatcher
    ports: object
    clock: Clock
    count: int
    visibility_s: float
    max_deliveries: int
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

    def nudge(self) -> None:
        """Wake idle workers: there may be a message."""
        with self._woken:
            self._nudges += 1
            self._woken.notify_all()

    def run_until_idle(self) -> None:
        """Handle what is due now in the calling thread, until nothing is left: for tests and for one-shot jobs."""
        while self._take_one():
            pass

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
                    self._woken.wait_for(lambda heard=heard: self._nudges != heard, _IDLE_S)  # type: ignore[misc]

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
            self._handle(delivery)
        return bool(deliveries)

    def _handle(self, delivery: Delivery) -> None:
        if delivery.attempts > _PATIENT_DELIVERIES:
            self._give_back(delivery, "whoever worked on it never came to an end", most=0)
            return
        try:
            with self._kept_hidden(delivery):
                self.dispatcher.handle(delivery.type, delivery.body, self._call(delivery), self.ports)
        except Problem as problem:
            most = _PATIENT_DELIVERIES if problem.retryable else self.max_deliveries
            reason = f"{problem.code}: {problem.detail}"
            self._give_back(delivery, reason, most=0 if isinstance(problem, Invalid) else most)
        except Exception as error:  # the edge: a bug must not end the worker, and stays loud
            log.exception("message_failed", message_id=delivery.id, type=delivery.type)
            self._give_back(delivery, f"{type(error).__name__}: {error}", most=self.max_deliveries)
        else:
            self.queue.ack(delivery)

    def _call(self, delivery: Delivery) -> Call:
        return call_of(delivery.tenant, delivery.actor, delivery.trace, self.clock.now())

    def _give_back(self, delivery: Delivery, reason: str, *, most: int) -> None:
        reason = storable(reason)[:_LONGEST_REASON]
        if delivery.attempts >= most and self._given_up(delivery, reason):
            self._bury(delivery, reason)
            return
        log.warning("message_retried", message_id=delivery.id, type=delivery.type, reason=reason)
        delay = timedelta(seconds=pause_s(delivery.attempts, _LONGEST_DELAY_S))
        if self.queue.retry(delivery, reason, delay):
            RETRIED.add(queue=delivery.queue)

    def _bury(self, delivery: Delivery, reason: str) -> None:
        if self.queue.bury(delivery, reason, self.clock.now()):
            log.error("message_dead", message_id=delivery.id, type=delivery.type, reason=reason)
            BURIED.add(queue=delivery.queue)

    def _given_up(self, delivery: Delivery, reason: str) -> bool:
        """Tell whoever waits for it; False if they could not be told now, and then the message has to stay."""
        try:
            self.dispatcher.give_up((delivery.type, delivery.body), reason, self._call(delivery), self.ports)
        except Exception as error:  # the edge: what goes wrong here must not lose the message
            log.exception("message_not_given_up", message_id=delivery.id, type=delivery.type)
            return isinstance(error, Problem) and not error.retryable  # they can't be told later either
        return True

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
