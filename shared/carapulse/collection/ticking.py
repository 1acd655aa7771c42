"""What the clock does: it finds collectors whose time has come, of all tenants, and has each run once."""

from datetime import timedelta
from typing import Final

from carapulse.collection.ports import CollectionPorts, Due
from carapulse.collection.usecases import send_run
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import CorruptRow
from carapulse.observe import get_logger

log = get_logger(__name__)
_MOST_AT_ONCE: Final = 500
_UNREADABLE: Final = timedelta(hours=1)  # at the head of what is due it would be in the way of the others


def start_due_collections(call: Call, ports: CollectionPorts) -> int:
    """Have every collector run that is due, and return how many; also where several clocks tick, each runs once."""
    due = ports.collector_book.due(call.at, _MOST_AT_ONCE)
    return sum(_start(each, call, ports) for each in due)


def _start(due: Due, call: Call, ports: CollectionPorts) -> bool:
    """Have one collector run: when it is due next is written together with the message."""
    clock = Actor(id="scheduler", kind="service")
    own = call.model_copy(update={"tenant": due.tenant, "actor": clock})
    try:
        with ports.begin(own) as work:
            kept = work.collectors.lock_due(due.name, call.at)
            if kept is None or kept.next_at is None:
                return False
            send_run(kept._replace(next_at=kept.collector.due_after(kept.next_at, call.at)), work)
    except CorruptRow:  # the others are due all the same
        log.exception("collector_not_started", tenant=due.tenant, name=due.name)
        with ports.begin(own) as work:
            work.collectors.put_off(due.name, call.at, call.at + _UNREADABLE)
        return False
    return True
