"""What happens to sessions. Each is a fact in the session's stream, named as its id."""

from typing import Self

from carapulse.kernel.canonical import digest
from carapulse.kernel.event import Event
from carapulse.sessions.model import Role, Session


class _Session(Event):
    session_id: str
    name: str
    group: str | None
    metadata: str

    @classmethod
    def of(cls, session: Session) -> Self:
        """Return the fact about this session; what its metadata says is not in it, but their digest."""
        return cls(session_id=session.id, name=session.name, group=session.group, metadata=digest(session.metadata))


class SessionCreated(_Session):
    """Somebody began a session, and is its first owner."""


class SessionChanged(_Session):
    """What is said about a session is something else than before."""


class SessionDeleted(_Session):
    """A session is no more; nobody takes part in it any longer."""


class MemberAdded(Event):
    """Somebody takes part in a session from now on."""

    session_id: str
    member_id: str
    role: Role


class MemberChanged(Event):
    """Somebody takes part in a session as something else than before."""

    session_id: str
    member_id: str
    role: Role
    former: Role


class MemberRemoved(Event):
    """Somebody takes part in a session no longer."""

    session_id: str
    member_id: str
    former: Role
