"""Watching one attempt while its tool runs: keep the lease, store the lines, and end the tool when it is not wanted."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self

from carapulse.executions.lifecycle import cause_of
from carapulse.executions.lines import Line
from carapulse.executions.messages import RunStep
from carapulse.executions.ports import ExecutionPorts
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.kernel.errors import Unavailable
from carapulse.observe import get_logger

log = get_logger(__name__)
_LOOK_S = 0.5  # how soon a cancel, a deadline or a stop is noticed
_MOST_LINES = 10_000  # of one attempt; what comes after is counted, not kept


@dataclass
class Monitor:
    """One attempt under watch. `cancelled` is set when the tool must end. Without a fence there is no lease to keep."""

    message: RunStep
    fence: int | None
    call: Call
    ports: ExecutionPorts
    cancelled: threading.Event = field(default_factory=threading.Event)
    _lines: list[Line] = field(default_factory=list)
    _kept: int = 0
    _done: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _renewed: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._watch, name=f"monitor-{self.message.step_id}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching; lines that are not stored yet are taken by `pending_lines`."""
        self._done.set()
        self._thread.join()

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

    def last_lines(self) -> list[Line]:
        """Return the lines that are not stored yet when the attempt is over, and say so if some were not kept."""
        dropped = self._kept - _MOST_LINES
        return [*self.pending_lines(), *([self._line(f"({dropped} more lines were not kept)")] if dropped > 0 else [])]

    def _line(self, text: str) -> Line:
        message = self.message
        return Line(message.execution_id, message.step_id, message.phase, self.ports.clock.now(), text)

    def _watch(self) -> None:
        try:
            while not self._done.wait(_LOOK_S):
                if self._must_end():
                    self.cancelled.set()
                self._look_or_report()
        finally:
            if not self._done.is_set():
                self.cancelled.set()  # a tool that nobody watches must not go on

    def _look_or_report(self) -> None:
        try:
            self._look()
        except Unavailable as problem:
            log.warning("step_watch_interrupted", step_id=self.message.step_id, detail=problem.detail)

    def _look(self) -> None:
        message, lines = self.message, self.pending_lines()
        try:
            with self.ports.begin(self.call) as work:
                seconds = self.ports.settings.visibility_s
                asked = time.monotonic()
                held = self.fence is None or work.executions.renew(*message.key, self.fence, seconds)
                state = work.executions.get(message.execution_id)
                work.executions.add_lines(lines)
        except Unavailable:
            with self._lock:
                self._lines = lines + self._lines
            raise
        unwanted = message.phase == "run" and cause_of(state) is not None
        if not held or unwanted:
            self.cancelled.set()
        self._renewed = asked

    def _must_end(self) -> bool:
        """Whether the program is to end, or the lease may have gone to another worker: two must never be at one step.

        A tool's program is asked to end first, and has two seconds before it is made to.
        """
        lapsed = self.fence is not None and time.monotonic() - self._renewed >= self.ports.settings.visibility_s
        return lapsed or self.ports.stopping.is_set()
