"""What one worker is about to write: a result, everything that follows from it, and the next step's intent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from carapulse.executions.applying import ExecutionEvent, apply
from carapulse.executions.events import ExecutionFinished
from carapulse.executions.journal import Entry, Head, Output
from carapulse.executions.lifecycle import Advanced, Start, advance
from carapulse.executions.lines import Line
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import ExecutionState
from carapulse.executions.timing import LONGEST_MESSAGE_DELAY_S, delay_s, look_at
from carapulse.kernel.event import Event
from carapulse.kernel.message import Message

Key = tuple[str, str, int, datetime | None]


def key_of(start: Start) -> Key:
    """Return what tells one start from another: also its moment, for a wait that begins is the same attempt later."""
    return start.step_id, start.phase, start.attempt, start.not_before


@dataclass
class Draft:
    """Events that are not written yet, applied to the state as it was read. `before` is what could start already."""

    since: ExecutionState
    state: ExecutionState
    head: Head
    at: datetime
    before: frozenset[Key]
    starts: tuple[Start, ...]
    events: list[Event] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    captured: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, state: ExecutionState, head: Head, at: datetime) -> Self:
        """Return a draft in which nothing has happened yet but what the moment brings: a deadline that has passed."""
        now = advance(state, at)
        before = frozenset(map(key_of, now.starts)) if not now.events else frozenset()
        draft = cls(state, state, head, at, before, now.starts)
        draft._take(now)
        return draft

    def note(self, event: ExecutionEvent) -> None:
        """Add what has happened; EventOutOfPlace if it can't have."""
        self.state = apply(self.state, event, self.at)
        self.events.append(event)

    def advance(self) -> None:
        """Add everything that follows by itself."""
        self._take(advance(self.state, self.at))

    def _take(self, now: Advanced) -> None:
        self.state, self.starts = now.state, now.starts
        self.events += now.events

    def fresh(self) -> tuple[Start, ...]:
        """Return what could not start before."""
        return tuple(start for start in self.starts if key_of(start) not in self.before)

    def entry(
        self, *, told: Sequence[Start], lease: tuple[str, float] | None, ends: str | None, is_first: bool
    ) -> Entry:
        """Return what is written, with a message for each start that somebody else is told of.

        A worker's first write says when the clock is to look after it; while it is at work, that stays as it is.
        """
        moved = is_first or not self.state.is_at_work
        return Entry(
            since=self.since,
            state=self.state,
            head=self.head,
            at=self.at,
            events=tuple(self.events),
            captured=self.captured,
            outputs=tuple(self.outputs),
            lines=tuple(self.lines),
            messages=tuple(messages_for(self.state, told, self.at)),
            lease=lease,
            ends=ends,
            look_at=look_at(self.state, self.starts, self.at) if moved and not self.state.over else None,
            plan_done=is_plan_done(self.state, self.events),
        )


def messages_for(state: ExecutionState, starts: Sequence[Start], at: datetime) -> list[tuple[Message, float]]:
    """Return a message for each start, with its delay in seconds; what waits for long is left to the clock."""
    delays = [delay_s(start, at) for start in starts]
    message = AdvanceExecution(execution_id=state.id)
    return [(message, delay) for delay in delays if delay <= LONGEST_MESSAGE_DELAY_S]


def is_plan_done(state: ExecutionState, events: list[Event]) -> bool:
    """Return whether the plan has had its run with these events; a dry run is none."""
    return not state.dry_run and any(isinstance(event, ExecutionFinished) for event in events)
