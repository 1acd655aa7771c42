"""What one worker writes about an execution at a time, and what it reads before: the hot path's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from carapulse.approvals.model import Approval
from carapulse.executions.lines import Line
from carapulse.executions.model import ExecutionState, Phase
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.event import Event
from carapulse.kernel.message import Message
from carapulse.kernel.record import Record
from carapulse.tools.model import Outcome


@dataclass(frozen=True, slots=True)
class Head:
    """Where a plan's stream ends. Every fact about the plan moves it, so it tells whether anything has happened."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Standing:
    """An execution as it stands at one moment, the head of its stream then, its approval, and the leases that hold."""

    state: ExecutionState
    head: Head
    approval: Approval | None
    leases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Output:
    """What one attempt gave."""

    step_id: str
    phase: Phase
    fence: int
    digest: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Written:
    """The head that an entry led to, and when (monotonic, in seconds) the statement was sent that wrote it."""

    head: Head
    sent: float


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything that is written at once, provided that the head is still the one that was read.

    `since` is the state as it was read, `captured` what was read before steps that begin now, by step.

    `lease` is to be held for so many seconds, and is renewed if less than half of them are left; `ends` is one that is
    given back; delays of messages are in seconds; `look_at` is when the clock is to look after the execution if nobody
    is at it, None changes nothing.
    """

    since: ExecutionState
    state: ExecutionState
    head: Head
    at: datetime
    events: tuple[Event, ...]
    captured: Mapping[str, Any]
    outputs: tuple[Output, ...] = ()
    lines: tuple[Line, ...] = ()
    messages: tuple[tuple[Message, float], ...] = ()
    lease: tuple[str, float] | None = None
    ends: str | None = None
    look_at: datetime | None = None
    plan_done: bool = False


class Overdue(Record):
    """An execution that the clock is to look after, and as whose it goes on."""

    tenant: str
    execution_id: str
    requested_by: Actor


class Journal(Protocol):
    """The hot path: one statement reads a run, one writes all that a step changes."""

    def read(self, execution_id: str, call: Call) -> Standing:
        """Return how an execution stands, or raise ExecutionNotFound."""
        ...

    def write(self, entry: Entry, call: Call) -> Written | None:
        """Write an entry and return where that leads; None if something else has happened meanwhile.

        Unavailable says that the database stayed away for as long as a result may be held.
        """
        ...

    def overdue(self, most: int) -> list[Overdue]:
        """Return executions of every tenant whose moment has come and that nobody is at, and put them off a while."""
        ...

    def end_lease(self, lease: str, call: Call) -> None:
        """Give a lease back."""
        ...
