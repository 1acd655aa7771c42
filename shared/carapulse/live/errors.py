"""What can go wrong while somebody follows the log."""

from http import HTTPStatus

from carapulse.kernel.errors import Denied, Invalid, NotFound, Unauthenticated, Unavailable


class EventsGone(NotFound):
    """Events after this place left the log; what is kept begins after `retained_from`."""

    code = "events-gone"
    status = HTTPStatus.GONE


class PositionUnknown(Invalid):
    """The log has not come to this place yet, so nobody can have been there."""

    code = "position-unknown"


class AddressInvalid(Invalid):
    """The address of a WebSocket asks for something that can't be followed."""

    code = "address-invalid"


class MessageRefused(Invalid):
    """The message is none that a follower may send."""

    code = "message-refused"


class TooManyStreams(Unavailable):
    """The tenant follows the log as often as it may, in this process. Try again later, or follow with fewer clients."""

    code = "too-many-streams"
    status = HTTPStatus.TOO_MANY_REQUESTS


class StreamsFull(Unavailable):
    """The process serves as many followers as it can, or it stops."""

    code = "streams-full"


class LogUnsettled(Unavailable):
    """An older transaction is still open, so that nobody can say yet up to where the log is complete."""

    code = "log-unsettled"


class TicketRefused(Unauthenticated):
    """The ticket is not known, is too old, or was used before."""

    code = "ticket-refused"


class KeyRotated(Unauthenticated):
    """The key that opened the stream was given a successor. Come back with that, or with the key while it holds."""

    code = "key-rotated"


class OriginRefused(Denied):
    """The page that asks is of an origin that may not follow this installation."""

    code = "stream-origin-refused"


class ConnectionUnknown(NotFound):
    """The gateway names a connection that nobody follows by, or not any more."""

    code = "connection-unknown"


class ConnectionGone(NotFound):
    """The gateway doesn't hold this connection any more."""

    code = "connection-gone"
    status = HTTPStatus.GONE


class ConnectionBusy(Unavailable):
    """The gateway takes nothing more for this connection now, because its client reads too slowly."""

    code = "connection-busy"


class EventTooLarge(Invalid):
    """The gateway takes no message of this length. Ask for the event over HTTP, and go on after it."""

    code = "event-too-large"


class TooManyMessages(Invalid):
    """The client says more in a minute than anybody has to."""

    code = "too-many-messages"
    status = HTTPStatus.TOO_MANY_REQUESTS


class NoSuchOccasion(Invalid):
    """The gateway calls for something that nobody here knows."""

    code = "no-such-occasion"
