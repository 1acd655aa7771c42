"""When somebody has to look at an execution again. Pure."""

from datetime import datetime, timedelta

from carapulse.executions.lifecycle import Start
from carapulse.executions.model import ExecutionState

GRACE = timedelta(seconds=30)
"""How long the clock leaves an execution alone that is being worked on; each look puts it off by as much again."""
LONGEST_MESSAGE_DELAY_S = 60.0
"""What waits longer is not a hidden message but the clock's to wake."""
_AFTER_DEADLINE = timedelta(days=1)


def delay_s(start: Start, at: datetime) -> float:
    """Return in how many seconds a start may be made."""
    return 0.0 if start.not_before is None else max(0.0, (start.not_before - at).total_seconds())


def look_at(state: ExecutionState, starts: tuple[Start, ...], at: datetime) -> datetime:
    """Return when the clock is to look after an execution if nobody is at it by then."""
    if state.running:
        return min(at + GRACE, _deadline(state, at))
    if not starts:
        return _deadline(state, at)
    soonest = min(delay_s(start, at) for start in starts)
    waits = timedelta(seconds=soonest) if soonest > LONGEST_MESSAGE_DELAY_S else timedelta(seconds=soonest) + GRACE
    return min(at + waits, _deadline(state, at))


def _deadline(state: ExecutionState, at: datetime) -> datetime:
    return at + _AFTER_DEADLINE if state.expired else state.deadline_at
