"""Freezes: who forbids which changes, from when until when, and why. Pure values."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints

from carapulse.freezes.errors import FreezeInvalid, FreezeOver
from carapulse.kernel.call import Call
from carapulse.kernel.context import Context, Name
from carapulse.kernel.errors import Fault
from carapulse.kernel.ids import new_id
from carapulse.kernel.names import Line, Slug
from carapulse.kernel.record import Record
from carapulse.kernel.times import NearMoment
from carapulse.policy.document import FreezeNow, nanoseconds

EVERYWHERE = "*"
Where = Annotated[str, StringConstraints(max_length=63, pattern=r"^(\*|[a-z0-9][a-z0-9-]*)$")]


class FreezeTerms(Record):
    """What is forbidden. Without services it is every change; a change that names no service may be to any of them."""

    name: Slug
    environments: tuple[Where, ...] = Field(min_length=1, max_length=50, description="`*` is every environment")
    services: tuple[Name, ...] | None = Field(None, min_length=1, max_length=200)
    starts_at: NearMoment | None = Field(None, description="null: from now on")
    until: NearMoment | None = Field(None, description="the first moment after it; null: until it is lifted")
    reason: Line
    allow_drafts: bool = Field(default=False, strict=True, description="whether plans may be drafted meanwhile")

    def starting(self, at: datetime) -> Self:
        """Return these terms with a beginning, or raise FreezeInvalid for what never holds after a moment."""
        starts_at = self.starts_at or at
        if self.until is not None and self.until <= max(starts_at, at):
            fault = Fault(
                pointer="/until", code="never-holds", detail="it would end before it holds; to end one, lift it"
            )
            raise FreezeInvalid("the freeze would never hold", faults=(fault,))
        return self.model_copy(update={"starts_at": starts_at})


class Freeze(FreezeTerms):
    """A freeze as it is kept."""

    starts_at: AwareDatetime
    id: str
    created_by: str
    created_at: AwareDatetime
    updated_by: str
    updated_at: AwareDatetime
    lifted_at: AwareDatetime | None = None
    lifted_by: str | None = None
    lifted_because: str | None = None

    @classmethod
    def of(cls, terms: FreezeTerms, call: Call) -> Self:
        """Return a new freeze; whoever asks is its author."""
        who, at = call.actor.id, call.at
        known = dict(terms.starting(at))
        return cls(**known, id=new_id("freeze"), created_by=who, created_at=at, updated_by=who, updated_at=at)

    @property
    def terms(self) -> FreezeTerms:
        """What people may change."""
        return FreezeTerms(**{name: getattr(self, name) for name in FreezeTerms.model_fields})

    def changed(self, terms: FreezeTerms, call: Call) -> Self:
        """Return this freeze on other terms, or raise FreezeOver."""
        if self.lifted_at is not None or (self.until is not None and self.until <= call.at):
            raise FreezeOver("the freeze is over", freeze_id=self.id, lifted_at=self.lifted_at, until=self.until)
        new = dict(terms.starting(call.at))
        return self.model_copy(update={**new, "updated_by": call.actor.id, "updated_at": call.at})

    def lifted(self, because: str, call: Call) -> Self:
        """Return this freeze as lifted, or raise FreezeOver if it was already."""
        if self.lifted_at is not None:
            raise FreezeOver("the freeze was lifted already", freeze_id=self.id, lifted_at=self.lifted_at)
        return self.model_copy(update={"lifted_at": call.at, "lifted_by": call.actor.id, "lifted_because": because})

    def holds(self, context: Context, at: datetime) -> bool:
        """Say whether it forbids changes in this place at a moment."""
        if self.lifted_at is not None or at < self.starts_at or (self.until is not None and at >= self.until):
            return False
        here = EVERYWHERE in self.environments or context.environment in self.environments
        return here and (self.services is None or context.service is None or context.service in self.services)

    @property
    def now(self) -> FreezeNow:
        """What policy is told while it holds."""
        return FreezeNow(
            name=self.name,
            reason=self.reason,
            until_ns=None if self.until is None else nanoseconds(self.until),
            allow_drafts=self.allow_drafts,
        )
