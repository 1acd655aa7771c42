"""Tickets: a bearer's word for one stream, to be shown once in an address."""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from carapulse.audit.model import EventFilter
from carapulse.identity.errors import TokenExpired
from carapulse.identity.model import Principal
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.live.errors import TicketRefused
from carapulse.live.events import TicketIssued, TicketUsed
from carapulse.live.model import KEY_REVOKED, KEY_ROTATED, KeptTicket, Ticket, key_end, key_of
from carapulse.live.ports import TicketPorts, TicketWork
from carapulse.tracing import Trace, current_trace

LIFETIME = timedelta(seconds=30)
_BYTES = 32
_LONGEST = 100


def issue_ticket(principal: Principal, call: Call, ports: TicketPorts) -> Ticket:
    """Return a ticket that speaks for the caller once, within half a minute and no longer than its token holds."""
    secret = secrets.token_urlsafe(_BYTES)
    expires_at = min(call.at + LIFETIME, datetime.fromtimestamp(principal.expires_at, UTC))
    if expires_at <= call.at:
        raise TokenExpired("the token has expired")
    kept = KeptTicket(id=new_id("ticket"), digest=_digest(secret), principal=principal, expires_at=expires_at)
    with ports.begin(call) as work:
        work.tickets.drop_expired(call.at)
        work.tickets.add(kept)
        work.record(kept.id, TicketIssued(ticket_id=kept.id, expires_at=expires_at.isoformat()))
    return Ticket(ticket=secret, expires_at=expires_at)


def take_ticket(secret: str, ports: TicketPorts) -> Principal:
    """Return whom a ticket speaks for, who can't use it again; raises TicketRefused."""
    at = ports.clock.now()
    kept = ports.ticket_directory.find(_digest(secret)) if len(secret) <= _LONGEST else None
    if kept is None:
        raise TicketRefused("the ticket was not accepted")
    trace = current_trace() or Trace.begin()
    call = Call(actor=kept.principal.actor, tenant=kept.principal.tenant, at=at, trace=trace.id)
    with ports.begin(call) as work:
        if not work.tickets.take(kept.digest, at) or _is_over(kept.principal, work):
            raise TicketRefused("the ticket was not accepted")
        work.record(kept.id, TicketUsed(ticket_id=kept.id))
    return kept.principal


def _is_over(principal: Principal, work: TicketWork) -> bool:
    """Return whether the key that a ticket was issued for was revoked or rotated since."""
    key = key_of(principal.proof)
    if key is None:
        return False
    wanted = (EventFilter(stream=key, type=kind, limit=1) for kind in (KEY_REVOKED, KEY_ROTATED))
    found = (each for page in map(work.evidence.page, wanted) for each in page.data)
    return any(key_end(each.type, each.body, principal) for each in found)


def _digest(secret: str) -> str:
    return "sha256:" + sha256(secret.encode(errors="surrogatepass")).hexdigest()
