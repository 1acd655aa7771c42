"""What happens to tickets. Each is a fact in a stream of its ticket; neither holds what is shown."""

from carapulse.kernel.event import Event


class TicketIssued(Event):
    """Somebody may open one stream without a bearer, until a moment."""

    ticket_id: str
    expires_at: str


class TicketUsed(Event):
    """A stream was opened with a ticket, which is gone by that."""

    ticket_id: str
