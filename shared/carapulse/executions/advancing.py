"""What people and the clock ask for: noted within one unit of work, together with everything that follows from it."""

from carapulse.executions.applying import ExecutionEvent, apply
from carapulse.executions.drafts import key_of, messages_for
from carapulse.executions.lifecycle import advance
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionWork
from carapulse.executions.timing import look_at


def note_and_advance(work: ExecutionWork, state: ExecutionState, *events: ExecutionEvent) -> ExecutionState:
    """Record events about a locked execution and what follows from them; return its new state, which is kept.

    EventOutOfPlace if one of them can't happen now. What may start and could not before is sent to a worker.
    """
    at, since = work.now(), state
    before = frozenset(map(key_of, advance(state, at).starts))
    for event in events:
        state = apply(state, event, work.record(state.plan_id, event, at))
    now = advance(state, at)
    for event in now.events:
        work.record(state.plan_id, event, at)
    state = now.state
    if state.over:
        work.executions.release(state.id)
        if not state.dry_run:
            work.plans.replace(work.plans.lock(state.plan_id).done())
    work.executions.replace(state, since=since, look_at=None if state.over else look_at(state, now.starts, at))
    for message, delay in messages_for(state, [each for each in now.starts if key_of(each) not in before], at):
        work.send(message, delay_s=delay)
    return state
