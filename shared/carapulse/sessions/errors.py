"""What can go wrong with a session."""

from carapulse.kernel.errors import Conflict, Denied, NotFound


class SessionNotFound(NotFound):
    """No such session for this tenant, or none that the caller takes part in."""

    code = "session-not-found"


class MemberNotFound(NotFound):
    """Nobody of that name takes part in the session."""

    code = "member-not-found"


class NotAnOwner(Denied):
    """Only an owner of the session, or an administrator, may change it or who takes part in it."""

    code = "not-an-owner"


class LastOwner(Conflict):
    """A session keeps at least one owner; make another member an owner first."""

    code = "last-owner"
