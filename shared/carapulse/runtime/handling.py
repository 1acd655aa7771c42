"""What is done with one delivered message, whoever delivered it: handle it, then answer for it in the table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from carapulse.adapters.postgres.queue import Delivery
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Invalid, Problem
from carapulse.metrics import Count
from carapulse.observe import get_logger
from carapulse.runtime.dispatch import Dispatcher, call_of
from carapulse.runtime.pausing import pause_s

log = get_logger(__name__)
_LONGEST_DELAY_S: Final = 60.0
_LONGEST_REASON: Final = 2000
_PATIENT_DELIVERIES: Final = 1000  # what only waits for something outside is not a poisoned message

RETRIED = Count("carapulse_messages_retried_total", "Messages given back to be tried again", {"queue": None})
BURIED = Count("carapulse_messages_buried_total", "Messages that became dead letters", {"queue": None})


class Answers(Protocol):
    """Where the end of a delivery is told. Each says False if the delivery had been given to somebody else."""

    def ack(self, delivery: Delivery) -> bool:
        """Say that the message is done with."""
        ...

    def retry(self, delivery: Delivery, reason: str, delay: timedelta) -> bool:
        """Give the message back, to be seen again after a delay."""
        ...

    def bury(self, delivery: Delivery, reason: str, at: datetime) -> bool:
        """Put the message among the dead letters."""
        ...


@dataclass(frozen=True)
class Handling:
    """Hands messages to their handlers, and decides what becomes of those that fail."""

    answers: Answers
    dispatcher: Dispatcher
    ports: object
    clock: Clock
    max_deliveries: int

    def handle(self, delivery: Delivery) -> None:
        """Handle one delivery and answer for it. A handler's failure is an answer; only the table's own is raised."""
        if delivery.attempts > _PATIENT_DELIVERIES or delivery.unanswered >= self.max_deliveries:
            self._give_back(delivery, "whoever worked on it never came to an end", most=0)
            return
        try:
            self.dispatcher.handle(delivery.type, delivery.body, self._call(delivery), self.ports)
        except Problem as problem:
            most = _PATIENT_DELIVERIES if problem.retryable else self.max_deliveries
            reason = f"{problem.code}: {problem.detail}"
            self._give_back(delivery, reason, most=0 if isinstance(problem, Invalid) else most)
        except Exception as error:  # the edge: a bug must not end the worker, and stays loud
            log.exception("message_failed", message_id=delivery.id, type=delivery.type)
            self._give_back(delivery, f"{type(error).__name__}: {error}", most=self.max_deliveries)
        else:
            self.answers.ack(delivery)

    def _call(self, delivery: Delivery) -> Call:
        return call_of(delivery.tenant, delivery.actor, delivery.trace, self.clock.now())

    def _give_back(self, delivery: Delivery, reason: str, *, most: int) -> None:
        reason = storable(reason)[:_LONGEST_REASON]
        if delivery.attempts >= most and self._given_up(delivery, reason):
            self._bury(delivery, reason)
            return
        log.warning("message_retried", message_id=delivery.id, type=delivery.type, reason=reason)
        delay = timedelta(seconds=pause_s(delivery.attempts, _LONGEST_DELAY_S))
        if self.answers.retry(delivery, reason, delay):
            RETRIED.add(queue=delivery.queue)

    def _bury(self, delivery: Delivery, reason: str) -> None:
        if self.answers.bury(delivery, reason, self.clock.now()):
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
