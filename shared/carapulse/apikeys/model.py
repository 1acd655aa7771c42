"""The key: a name, what it may do and touch, who answers for it, and until when. Pure."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints

from carapulse.apikeys.errors import ApiKeyOver, ExpiryInvalid, GrantExceeded
from carapulse.identity.model import Role
from carapulse.identity.permissions import permissions_of
from carapulse.kernel.call import Actor, Call, Scope
from carapulse.kernel.moment import Moment
from carapulse.kernel.names import Line
from carapulse.kernel.record import IN_ORDER, Record

LONGEST = timedelta(days=365)
_WEEK = 604_800
KeyKind = Literal["service", "agent"]
KeyName = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$")]


class CreateApiKey(Record):
    """Make a key. It is given no more than whoever makes it may do and touch."""

    name: KeyName
    kind: KeyKind
    roles: frozenset[Role] = Field(min_length=1)
    scope: Scope = Scope()
    expires_at: Moment


class RevokeApiKey(Record):
    """Make a key good for nothing, and say why."""

    reason: Line


class RotateApiKey(Record):
    """Give a key a successor, which may do and touch the same."""

    overlap_s: int = Field(0, ge=0, le=_WEEK, strict=True, description="for how long the older one still holds")
    expires_at: Moment | None = Field(None, description="without it, the successor ends when the older one would have")


class ApiKey(Record):
    """A key as it is kept and shown; what proves it is not in here."""

    id: str
    name: KeyName
    prefix: str
    kind: KeyKind
    roles: Annotated[frozenset[Role], IN_ORDER]
    scope: Scope
    created_by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    last_used_at: AwareDatetime | None = Field(default=None, description="to the minute")
    revoked_at: AwareDatetime | None = None
    revoked_by: str | None = None
    revoked_because: str | None = None
    replaces: str | None = Field(default=None, description="the key that this one was made to follow")
    replaced_by: str | None = Field(default=None, description="the key that follows this one")

    @classmethod
    def made(cls, command: CreateApiKey, key_id: str, prefix: str, call: Call, at: datetime) -> Self:
        """Return the key that was asked for; GrantExceeded or ExpiryInvalid if it can't be made so."""
        refuse_excess(command, call.actor)
        if not at < command.expires_at <= at + LONGEST:
            raise ExpiryInvalid("a key ends in the future, within a year", latest=at + LONGEST)
        facts = dict(command)
        return cls(id=key_id, prefix=prefix, created_by=call.actor.id, created_at=at, **facts)

    @property
    def actor(self) -> Actor:
        """Whoever uses the key. Its id is not its name, which another key may have later."""
        return Actor(
            id=f"key:{self.id}",
            kind=self.kind,
            roles=frozenset(role.value for role in self.roles),
            scope=self.scope,
            owner=self.created_by,
        )

    def revoked(self, because: str, call: Call, at: datetime) -> Self:
        """Return this key as revoked. One that is revoked already stays as it is."""
        if self.revoked_at is not None:
            return self
        return self.model_copy(update={"revoked_at": at, "revoked_by": call.actor.id, "revoked_because": because})

    def successor(self, command: RotateApiKey, key_id: str, prefix: str, call: Call, at: datetime) -> Self:
        """Return the key that follows this one; whoever asks for it must be able to make it as a new one."""
        if self.revoked_at is not None or self.replaced_by is not None or at >= self.expires_at:
            raise ApiKeyOver("the key is over or has a successor", key_id=self.id, replaced_by=self.replaced_by)
        wanted = CreateApiKey(
            name=self.name,
            kind=self.kind,
            roles=self.roles,
            scope=self.scope,
            expires_at=command.expires_at or self.expires_at,
        )
        return self.made(wanted, key_id, prefix, call, at).model_copy(update={"replaces": self.id})

    def replaced(self, successor: Self, overlap: timedelta, call: Call, at: datetime) -> Self:
        """Return this key as it is with a successor: revoked, or good until the overlap is over and no longer."""
        followed = self.model_copy(update={"replaced_by": successor.id})
        if not overlap:
            return followed.revoked(f"replaced by {successor.id}", call, at)
        return followed.model_copy(update={"expires_at": min(self.expires_at, at + overlap)})


def refuse_excess(command: CreateApiKey, creator: Actor) -> None:
    """Return if a key may be given this by its creator, or raise GrantExceeded."""
    excess = permissions_of(frozenset(command.roles)) - permissions_of(creator.roles)
    if excess:
        raise GrantExceeded("the roles allow more than yours do", permissions=sorted(excess))
    if not command.scope.within(creator.scope):
        raise GrantExceeded("the scope is wider than yours")
