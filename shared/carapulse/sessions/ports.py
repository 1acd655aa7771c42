"""What sessions need from the world."""

from typing import Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.work import Work
from carapulse.sessions.model import Member, Session, SessionFilter


class Sessions(Protocol):
    """Sessions and their members. Every call is within one tenant and one transaction."""

    def page(self, wanted: SessionFilter, member_id: str | None) -> Page[Session]:
        """Return the sessions of a member, or everybody's for None, the newest first."""
        ...

    def get(self, session_id: str) -> Session:
        """Return the session, or raise SessionNotFound."""
        ...

    def lock(self, session_id: str) -> Session:
        """Return the session; nobody else can change it or its members until the transaction ends."""
        ...

    def add(self, session: Session, owner: Member) -> None:
        """Keep a new session and its first owner."""
        ...

    def replace(self, session: Session) -> None:
        """Keep a locked session as it now is."""
        ...

    def delete(self, session_id: str) -> None:
        """Forget a locked session and who took part."""
        ...

    def members(self, session_id: str, wanted: Wanted) -> Page[Member]:
        """Return who takes part, by their ids."""
        ...

    def member(self, session_id: str, member_id: str) -> Member | None:
        """Return somebody who takes part, or None."""
        ...

    def owners(self, session_id: str) -> int:
        """Return how many owners a locked session has."""
        ...

    def put_member(self, session_id: str, member: Member) -> None:
        """Keep somebody who takes part as they now do."""
        ...

    def remove_member(self, session_id: str, member_id: str) -> None:
        """Let somebody take part no longer."""
        ...


class SessionWork(Work, Protocol):
    """A unit of work that can reach sessions."""

    @property
    def sessions(self) -> Sessions:
        """The sessions within this unit."""
        ...


class SessionPorts(Protocol):
    """Everything the area asks of the application."""

    def begin(self, call: Call) -> SessionWork:
        """Open a unit of work for the caller's tenant."""
        ...
