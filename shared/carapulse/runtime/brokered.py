"""Messages that a broker of a cloud brings: believed if we signed them, read from their row, answered in it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, Self

from carapulse.adapters.postgres.outbox import PostgresOutbox
from carapulse.adapters.postgres.queue import Delivery, PostgresQueue
from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.bootstrap import App
from carapulse.broker.envelope import Envelope, MessageForged, MessageUnreadable, opened
from carapulse.broker.events import STREAM, ForgedMessageSeen
from carapulse.broker.ports import Arrival, Broker
from carapulse.broker.relay import Relay
from carapulse.kernel.call import INSTALLATION, Actor, Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page
from carapulse.kernel.errors import Problem
from carapulse.kernel.event import Event
from carapulse.kernel.sealing import Marker
from carapulse.metrics import Count
from carapulse.observe import get_logger
from carapulse.rows import json_or_text
from carapulse.runtime.workers import Queue
from carapulse.tracing import Trace, traced

log = get_logger(__name__)
_DOORKEEPER = Actor(id="queue", kind="service")
_LATELY: Final = 200
_LONG_POLL_S: Final = 5.0  # no longer, so that a program that is told to stop does

FORGED = Count("carapulse_messages_forged_total", "Messages of a broker that this installation did not sign")


class Log(Protocol):
    """The log, as far as it is looked into for what was said already."""

    def page(self, wanted: EventFilter) -> Page[SealedEntry]:
        """Return events, the newest first."""
        ...


class Recording(Protocol):
    """A unit of work, as far as it is needed to say what came."""

    @property
    def evidence(self) -> Log:
        """The log within this unit."""
        ...

    def record(self, stream: str, event: Event) -> datetime:
        """Append a fact."""
        ...


class Ear(Protocol):
    """What understands those who write to our queues and can't sign: state machines of a cloud."""

    def hears(self, document: Any) -> bool:  # noqa: ANN401 - any JSON value
        """Return whether a document claims to come from one."""
        ...

    def delivery(self, document: Any, hidden_s: float) -> Delivery | None:  # noqa: ANN401 - any JSON value
        """Return what it says as a delivery; None if that is done; MessageForged or MessageUnreadable if it is none."""
        ...


@dataclass(frozen=True)
class Reception:
    """Says which delivery of which row a broker's message stands for."""

    outbox: PostgresOutbox
    marker: Marker
    begin: Callable[[Call], AbstractContextManager[Recording]]
    clock: Clock
    ear: Ear | None = None

    @classmethod
    def of(cls, app: App) -> Self:
        """Return the one of an installation."""
        return cls(app.outbox, app.sealer, app.begin, app.clock, _ear(app))

    def admit(self, arrival: Arrival, hidden_s: float) -> Delivery | None:
        """Return the delivery; None if it was done or published anew since.

        Raises MessageUnreadable and MessageForged: then the broker's own dead letters are the place for it, since
        there is no row that it could be believed to stand for.
        """
        try:
            delivery = self._delivery(arrival, hidden_s)
        except (MessageForged, MessageUnreadable) as problem:
            self.report(arrival, problem)
            raise
        if delivery is None:
            return None
        before = arrival.times - 1
        return replace(delivery, attempts=delivery.attempts + before, unanswered=before)

    def _delivery(self, arrival: Arrival, hidden_s: float) -> Delivery | None:
        if self.ear is not None and isinstance(arrival.text, str):
            document = json_or_text(arrival.text)
            if self.ear.hears(document):
                return self.ear.delivery(document, hidden_s)
        return self._claimed(opened(arrival.text, self.marker), hidden_s)

    def _claimed(self, envelope: Envelope, hidden_s: float) -> Delivery | None:
        with traced(Trace.from_header(envelope.traceparent)):
            delivery = self.outbox.claim(envelope.tenant, envelope.id, envelope.receipt, hidden_s)
            if delivery is None:
                log.info("message_superseded", message_id=envelope.id)
            return delivery

    def report(self, arrival: Arrival, problem: Problem) -> None:
        """Say that what came is not ours, once: a broker brings it again and again until it gives it up.

        When it came first, the log may have been away.
        """
        log.error("message_not_ours", queue=arrival.queue, code=problem.code, times=arrival.times)
        call = Call(actor=_DOORKEEPER, tenant=INSTALLATION, at=self.clock.now(), trace=Trace.begin().id)
        seen = ForgedMessageSeen(queue=arrival.queue, text_digest=digest(str(arrival.text)))
        with self.begin(call) as work:
            if arrival.times > 1 and _was_told(seen, work.evidence):
                return
            work.record(STREAM, seen)
        FORGED.add()


def _was_told(seen: ForgedMessageSeen, said: Log) -> bool:
    """Look whether this is among what was told lately; if so much came since that it isn't, it is told once more."""
    lately = said.page(EventFilter(stream=STREAM, type=ForgedMessageSeen.__name__, limit=_LATELY)).data
    return any(each.body["text_digest"] == seen.text_digest for each in lately)


@dataclass(frozen=True)
class Rows:
    """Answers deliveries in the table; what is to be tried again is published at once, to be seen later."""

    queue: PostgresQueue
    relay: Relay

    def ack(self, delivery: Delivery) -> bool:
        """Say that the message is done with."""
        return self.queue.ack(delivery)

    def retry(self, delivery: Delivery, reason: str, delay: timedelta) -> bool:
        """Give the message back, to be seen again after a delay."""
        given_back = self.queue.retry(delivery, reason, delay)
        self.relay.after_commit()
        return given_back

    def bury(self, delivery: Delivery, reason: str, at: datetime) -> bool:
        """Put the message among the dead letters."""
        return self.queue.bury(delivery, reason, at)


@dataclass(frozen=True, kw_only=True)
class Brought(Delivery):
    """A delivery, and by what the broker's message is answered."""

    arrival: Arrival


@dataclass
class BrokerQueue:
    """The receiving side of a broker, for workers that poll."""

    rows: Rows
    reception: Reception
    broker: Broker
    _turn: int = 0

    def take(self, queues: Sequence[str], how_many: int, visibility_s: float) -> list[Delivery]:
        """Take messages of one queue after the other; wait for one only where there is one queue."""
        wait_s = _LONG_POLL_S if len(queues) == 1 else 0.0
        for _ in queues:
            self._turn += 1
            queue = queues[self._turn % len(queues)]
            found = [*self._admitted(self.broker.receive(queue, how_many, visibility_s, wait_s), visibility_s)]
            if found:
                return found
        return []

    def extend(self, delivery: Delivery, visibility_s: float) -> bool:
        """Keep the message hidden for so many seconds more, at the broker and in the table."""
        self.broker.hide(_arrival(delivery), visibility_s)
        return self.rows.queue.extend(delivery, visibility_s)

    def ack(self, delivery: Delivery) -> bool:
        """Say that the message is done with."""
        return self._settled(delivery, self.rows.ack(delivery))

    def retry(self, delivery: Delivery, reason: str, delay: timedelta) -> bool:
        """Give the message back, to be seen again after a delay."""
        return self._settled(delivery, self.rows.retry(delivery, reason, delay))

    def bury(self, delivery: Delivery, reason: str, at: datetime) -> bool:
        """Put the message among the dead letters."""
        return self._settled(delivery, self.rows.bury(delivery, reason, at))

    def _admitted(self, arrivals: Sequence[Arrival], visibility_s: float) -> Iterator[Delivery]:
        for arrival in arrivals:
            try:
                delivery = self.reception.admit(arrival, visibility_s)
            except (MessageForged, MessageUnreadable):
                continue  # not settled: the broker brings it again, and gives it up by its own rule
            if delivery is None:
                self.broker.settle(arrival)
            else:
                yield Brought(**vars(delivery), arrival=arrival)

    def _settled(self, delivery: Delivery, answered: bool) -> bool:  # noqa: FBT001 - what the table said
        self.broker.settle(_arrival(delivery))
        return answered


def queue_of(app: App) -> Queue:
    """Return where this installation's workers take messages: the table itself, or the broker that is configured."""
    if app.relay is None:
        return app.queue
    rows = Rows(app.queue, app.relay)
    return BrokerQueue(rows, Reception.of(app), app.relay.broker)


def _ear(app: App) -> Ear | None:
    if app.settings.orchestrator == "queue":
        return None
    from carapulse.runtime.conducted import MachineEar  # noqa: PLC0415 - only where a machine carries changes

    return MachineEar(app.outbox, app.sealer)


def _arrival(delivery: Delivery) -> Arrival:
    if not isinstance(delivery, Brought):
        raise TypeError("a delivery of a broker names by what it is answered")
    return delivery.arrival
