"""Clients whose sockets a gateway holds: they come, say something, and leave. Whoever pushes tells them the rest."""

from typing import Final

from carapulse.identity.model import Principal
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Unavailable
from carapulse.live.errors import ConnectionUnknown, StreamsFull, TooManyStreams
from carapulse.live.held import Held
from carapulse.live.model import Ask
from carapulse.live.ports import Connections, HeldPorts, Room
from carapulse.observe import get_logger
from carapulse.tracing import Trace, current_trace

GATEWAY: Final = Actor(id="live-gateway", kind="service")
"""Who says that a client has left, or what it said."""

log = get_logger(__name__)


def connect_client(connection_id: str, ask: Ask, call: Call, principal: Principal, ports: HeldPorts) -> Held:
    """Let a client in that may follow what it asks for, and see to it that somebody tells it.

    Raises Denied, EventsGone or PositionUnknown for what can't be followed, StreamsFull or TooManyStreams.
    """
    held = Held.begun(connection_id, ask, principal, call.at)
    held.wish(call)
    if held.since is not None:
        ports.tail.check(call.tenant, held.since)
    with ports.begin(call) as work:
        is_nobody_there = work.connections.want()
        _refuse_too_many(work.connections, ports.settings)
        work.connections.add(held)
    if is_nobody_there:
        _wake(ports)
    return held


def hear_client(connection_id: str, message: str | None, ports: HeldPorts) -> None:
    """Keep what a client says, None for what is no text or too long; raises ConnectionUnknown."""
    call = _call_of(connection_id, ports)
    with ports.begin(call) as work:
        held = work.connections.find(connection_id)
        if held is None:
            raise ConnectionUnknown("nobody follows by this connection any more")
        work.connections.note_heard(held.hearing(message, held.call(call.at, call.trace)))


def forget_client(connection_id: str, ports: HeldPorts) -> None:
    """Forget a client that has left; raises ConnectionUnknown if that is done already."""
    with ports.begin(_call_of(connection_id, ports)) as work:
        work.connections.drop(connection_id)


def _wake(ports: HeldPorts) -> None:
    try:
        ports.gateway.wake()
    except Unavailable as problem:
        # Whoever comes by the minute tells the client a little later; it is let in already.
        log.warning("pusher_not_woken", code=problem.code, detail=problem.detail)


def _call_of(connection_id: str, ports: HeldPorts) -> Call:
    """Return the call of whoever a gateway names, whose tenant nobody but we can know."""
    tenant = ports.connection_book.tenant_of(connection_id)
    if tenant is None:
        raise ConnectionUnknown("nobody follows by this connection any more")
    trace = current_trace() or Trace.begin()
    return Call(actor=GATEWAY, tenant=tenant, at=ports.clock.now(), trace=trace.id)


def _refuse_too_many(connections: Connections, room: Room) -> None:
    if connections.count_all() >= room.live_clients:
        raise StreamsFull("no more clients can follow the log")
    if connections.count() >= room.live_clients_of_tenant:
        raise TooManyStreams("no more clients of the tenant can follow the log")
