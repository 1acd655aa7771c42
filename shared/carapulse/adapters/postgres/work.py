"""The unit of work: state, events and messages of one tenant, written whole or not at all."""

from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from carapulse.adapters.postgres.engine import bind_tenant, problem_of, translated
from carapulse.adapters.postgres.log import Recorded, append
from carapulse.adapters.postgres.queue import Outgoing, send
from carapulse.idempotency.store import mark_written
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.event import Event
from carapulse.kernel.message import Message

Bells = Callable[[Iterable[str]], Iterable[Message]]


class PostgresWork:
    """One transaction, bound to the caller's tenant. Leaving it cleanly writes everything; an exception, nothing.

    `sent` is called after a commit that wrote messages, where somebody has to be told of them. `bells` are messages to
    whoever has to know that something was recorded about a stream, whatever it was.
    """

    def __init__(
        self,
        engine: Engine,
        call: Call,
        clock: Clock,
        sent: Callable[[], object] | None = None,
        bells: Bells | None = None,
    ) -> None:
        self.call = call
        self.tenant = call.tenant
        self._engine = engine
        self._clock = clock
        self._sent = sent
        self._bells = bells
        self._events: list[Recorded] = []
        self._messages: list[Outgoing] = []

    def __enter__(self) -> Self:
        """Open the transaction and bind it to the tenant."""
        with translated():
            self.connection: Connection = self._engine.connect()
            try:
                bind_tenant(self.connection, self.tenant)
            except BaseException:
                self.connection.close()
                raise
        return self

    def now(self) -> datetime:
        """Return the moment that the clock tells."""
        return self._clock.now()

    def record(self, stream: str, event: Event, at: datetime | None = None) -> datetime:
        """Append a fact to a stream, in the same write, and return its moment: the given one, or now."""
        at = at or self.now()
        self._events.append(Recorded(stream, event, at))
        return at

    def send(self, message: Message, *, delay_s: float = 0.0) -> None:
        """Send a message, in the same write, to be seen after a delay in seconds."""
        self._messages.append(Outgoing(message, delay_s))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit on a clean exit; roll back on any exception. Database errors leave as our families."""
        try:
            if error is None:
                if self._bells is not None:
                    self._messages += [
                        Outgoing(each, 0.0) for each in self._bells(each.stream for each in self._events)
                    ]
                with translated():
                    append(self.connection, self.call, self._events)
                    send(self.connection, self.call, self._messages)
                    mark_written(self.connection, self.call, has_written=bool(self._events or self._messages))
                    self.connection.commit()
        finally:
            self._let_go()
        if error is None and self._messages and self._sent is not None:
            self._sent()  # the connection is back by now: whoever publishes may need one
        problem = problem_of(error) if error is not None else None
        if problem is not None:
            raise problem from error

    def _let_go(self) -> None:
        """Give the connection back; one that is lost can't roll back, and its transaction is gone with it."""
        try:
            self.connection.close()
        except DBAPIError as error:
            self.connection.invalidate(error)
            self.connection.close()
