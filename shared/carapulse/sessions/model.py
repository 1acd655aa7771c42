"""Sessions and their members. Pure values."""

from enum import StrEnum
from typing import Self

from pydantic import Field, JsonValue

from carapulse.identity.model import Role as ActorRole
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.cursor import Wanted
from carapulse.kernel.ids import new_id
from carapulse.kernel.moment import Instant
from carapulse.kernel.record import Record
from carapulse.kernel.words import Data, Title
from carapulse.sessions.errors import LastOwner, NotAnOwner


class Role(StrEnum):
    """What a member may do within a session. Owners change it and say who takes part; the others see it."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class SessionContent(Record):
    """What an owner says about a session."""

    name: Title
    group: Title | None = Field(None, description="what sessions that belong together are found by")
    metadata: Data = Field(default_factory=dict)


class Session(Record):
    """A session. Who made it is its first owner; whoever is one now is among its members."""

    id: str
    name: str
    group: str | None
    metadata: dict[str, JsonValue]
    created_by: str
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, content: SessionContent, call: Call) -> Self:
        """Return a new session of the caller's."""
        about = {"id": new_id("session"), "created_by": call.actor.id, "created_at": call.at, "updated_at": call.at}
        return cls.model_validate({**about, **dict(content)})

    @property
    def content(self) -> SessionContent:
        """What is said about it, to be changed; it was checked when it was said."""
        return SessionContent.model_construct(name=self.name, group=self.group, metadata=self.metadata)

    def changed(self, content: SessionContent, call: Call) -> Self:
        """Return this session with something else said about it."""
        return self.model_copy(update={**dict(content), "updated_at": call.at})


class Membership(Record):
    """As what somebody takes part."""

    role: Role


class Member(Membership):
    """Somebody who takes part in a session."""

    member_id: str
    added_at: Instant
    added_by: str

    @classmethod
    def of(cls, member_id: str, role: Role, call: Call) -> Self:
        """Return somebody who takes part from now on."""
        return cls(member_id=member_id, role=role, added_at=call.at, added_by=call.actor.id)

    def check_replaceable(self, role: Role | None, owners: int) -> None:
        """Return if this member may have another role, or None, of so many owners; raise LastOwner otherwise."""
        if self.role is Role.OWNER and role is not Role.OWNER and owners == 1:
            raise LastOwner("it is the session's only owner; make another one first", member_id=self.member_id)


class SessionFilter(Wanted):
    """Which of the caller's sessions are wanted, and which page of them."""

    group: Title | None = None


def sees_every_session(actor: Actor) -> bool:
    """Say whether somebody sees also those sessions in which they take no part."""
    return not actor.roles.isdisjoint({ActorRole.ADMIN, ActorRole.AUDITOR})


def check_owner(actor: Actor, member: Member | None, session_id: str) -> None:
    """Return if somebody, who takes part like this or not at all, may change a session, or raise NotAnOwner."""
    if ActorRole.ADMIN in actor.roles or (member is not None and member.role is Role.OWNER):
        return
    raise NotAnOwner("only an owner of the session or an administrator may do this", session_id=session_id)
