"""Logs of refusals for applications that have no database."""

from contextlib import contextmanager
from dataclasses import dataclass, field

from carapulse.identity.events import AccessRefused
from carapulse.identity.refusals import RefusalLog
from carapulse.kernel.clock import SystemClock


@dataclass
class Told:
    """Units of work that keep what is recorded in a list; `problem` is what the database would say instead."""

    events: list[AccessRefused] = field(default_factory=list)
    problem: Exception | None = None

    @contextmanager
    def begin(self, call):
        if self.problem is not None:
            raise self.problem
        self.call = call
        yield self

    def record(self, stream, event):
        self.stream = stream
        self.events.append(event)


def a_refusal_log(told: Told | None = None, clock=None) -> RefusalLog:
    return RefusalLog((told or Told()).begin, clock or SystemClock())
