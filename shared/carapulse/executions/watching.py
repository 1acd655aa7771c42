"""Watching what this process is at: leases are kept, lines stored, and tools ended that are not wanted any more."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from carapulse.executions.lifecycle import cause_of
from carapulse.executions.lines import Line
from carapulse.executions.model import Cause, ExecutionState, Phase
from carapulse.executions.ports import ExecutionWork
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Unavailable
from carapulse.observe import get_logger

log = get_logger(__name__)
_LOOK_S = 0.5  # how soon a cancel or a deadline is noticed, and lines are seen by others
_STOP_S = 0.1  # how soon a stop of the program, or a lost lease, is noticed
_IDLE_ROUNDS = 20  # after so many looks at nothing the thread ends; the next attempt begins another
_MOST_LINES = 10_000  # of one attempt; what comes after is counted, not kept


class Begin(Protocol):
    """Opens a unit of work."""

    def __call__(self, call: Call, /) -> ExecutionWork:
        """Open one for a call."""
        ...


@dataclass
class Watched:
    """One worker's lease on an execution, and the attempt that it makes. `cancelled` says that the tool must end.

    What comes before the first intent, such as reading the state before, is done without a lease: none can be lost.
    """

    execution_id: str
    lease: str
    call: Call
    clock: Clock
    lease_s: float
    renewed: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    at: tuple[str, Phase] | None = None
    since: float = 0.0
    held: bool = False
    lost: bool = False
    storing: threading.Lock = field(default_factory=threading.Lock)
    _lines: list[Line] = field(default_factory=list)
    _kept: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, step_id: str, phase: Phase) -> None:
        """Say which attempt is made from here on. With a lease that has lapsed, it is cancelled before it begins."""
        with self._lock:
            self.at, self.since, self._kept = (step_id, phase), time.monotonic(), 0
        self.cancelled.clear()
        if self.has_lapsed:
            self.cancelled.set()

    def hold(self, since: float, *, is_new: bool) -> None:
        """Say that the lease was written, and when that was asked for: at least half of its time was left then."""
        renewed = since if is_new else max(self.renewed, since - self.lease_s / 2)
        self.held, self.lost, self.renewed = True, False, renewed

    @property
    def has_lapsed(self) -> bool:
        """Whether the lease may have gone to another worker: two must never be at one step."""
        return self.held and (self.lost or time.monotonic() - self.renewed >= self.lease_s)

    def on_line(self, line: str) -> None:
        """Take one line from the tool, already redacted."""
        with self._lock:
            self._kept += 1
            if self._kept <= _MOST_LINES:
                self._lines.append(self._line(storable(line)))

    def pending_lines(self) -> list[Line]:
        """Return the lines that are not stored yet, and forget them."""
        with self._lock:
            lines, self._lines = self._lines, []
        return lines

    def put_back(self, lines: list[Line]) -> None:
        """Keep lines that could not be stored."""
        with self._lock:
            self._lines = lines + self._lines

    def end(self) -> list[Line]:
        """Say that the attempt is over, and return the lines that are not stored yet.

        Waits for lines that are being stored: no line may come after what ends the attempt.
        """
        with self.storing, self._lock:
            dropped, lines = self._kept - _MOST_LINES, self._lines
            if dropped > 0:
                lines = [*lines, self._line(f"({dropped} more lines were not kept)")]
            self.at, self._lines = None, []
        return lines

    def _line(self, text: str) -> Line:
        step_id, phase = self.at or ("", "run")
        return Line(self.execution_id, step_id, phase, self.clock.now(), text)


@dataclass
class Watch:
    """Looks after every attempt of this process, in one thread that is there as long as there is something to see."""

    begin: Begin
    clock: Clock
    lease_s: float
    stopping: threading.Event
    _watched: dict[str, Watched] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    @contextmanager
    def over(self, execution_id: str, lease: str, call: Call) -> Iterator[Watched]:
        """Keep a lease, from the moment that it is written, until the worker is done."""
        watched = Watched(execution_id, lease, call, self.clock, self.lease_s, time.monotonic())
        with self._lock:
            self._watched[lease] = watched
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
        try:
            yield watched
        finally:
            with self._lock:
                del self._watched[lease]

    def _run(self) -> None:
        looked, idle = time.monotonic(), 0
        try:
            while self._goes_on(idle):
                time.sleep(_STOP_S)
                here = self._present()
                idle = 0 if here else idle + 1
                for watched in here:
                    self._end_if_alone(watched)
                if time.monotonic() - looked >= _LOOK_S:
                    looked = time.monotonic()
                    self._look_or_report(here)
        finally:
            self._let_nobody_go_on_unseen()

    def _goes_on(self, idle: int) -> bool:
        """End the thread when nothing was there for a while; decided under the lock under which one is begun."""
        with self._lock:
            if idle >= _IDLE_ROUNDS and not self._watched:
                self._thread = None
        return self._thread is not None

    def _let_nobody_go_on_unseen(self) -> None:
        """After a bug in here: a tool that nobody watches must not go on."""
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = None
                for watched in self._watched.values():
                    watched.cancelled.set()

    def _present(self) -> list[Watched]:
        with self._lock:
            return list(self._watched.values())

    def _end_if_alone(self, watched: Watched) -> None:
        """End a tool when the program is to stop, or when its lease may have gone to another worker.

        A tool's program is asked to end first, and has two seconds before it is made to.
        """
        if watched.has_lapsed or self.stopping.is_set():
            watched.cancelled.set()

    def _look_or_report(self, here: list[Watched]) -> None:
        now = time.monotonic()
        seen = [each for each in here if self._is_due(each, now)]
        for tenant, some in groupby(sorted(seen, key=_tenant), key=_tenant):
            try:
                self._look(list(some))
            except Unavailable as problem:
                log.warning("watch_interrupted", tenant=tenant, detail=problem.detail)

    def _is_due(self, watched: Watched, now: float) -> bool:
        """Look at what takes long; what is quick needs no look, but its worker's lease is kept all the same."""
        slow = watched.at is not None and now - watched.since >= _LOOK_S / 2
        return slow or now - watched.renewed >= self.lease_s / 3

    def _look(self, some: list[Watched]) -> None:
        asked = time.monotonic()
        written = {each.lease for each in some if each.held}
        with ExitStack() as stack:
            for each in some:
                stack.enter_context(each.storing)
            held, states = self._stored(some)
        for each in some:
            if each.lease in held:
                each.renewed = max(each.renewed, asked)
            elif each.lease in written and each.renewed < asked:  # else it was written anew since
                each.lost = True
            if each.at is not None and _is_unwanted(states[each.execution_id], each.at[1]):
                each.cancelled.set()

    def _stored(self, some: list[Watched]) -> tuple[frozenset[str], dict[str, ExecutionState]]:
        """Store lines, and return which leases still hold, and the executions. Who may be taken over adds none."""
        lines = {each.lease: [] if each.has_lapsed else each.pending_lines() for each in some}
        try:
            with self.begin(some[0].call) as work:
                for each in sorted(some, key=lambda each: each.execution_id):
                    work.executions.add_lines(each.execution_id, lines[each.lease])
                held = work.executions.renew([each.lease for each in some], self.lease_s)
                return held, {each.execution_id: work.executions.get(each.execution_id) for each in some}
        except Unavailable:
            for each in some:
                each.put_back(lines[each.lease])
            raise


def _tenant(watched: Watched) -> str:
    return watched.call.tenant


def _is_unwanted(state: ExecutionState, phase: Phase) -> bool:
    """Return whether a running step is to be ended: an undo is not, and a failure elsewhere lets the others finish."""
    return phase == "run" and cause_of(state) in {Cause.CANCELLED, Cause.TIMED_OUT}
