"""Call: who is asking, for which tenant, when, and under which trace."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field

from carapulse.kernel.context import Name
from carapulse.kernel.record import IN_ORDER, Record

MOST_NAMES = 100
INSTALLATION = "carapulse"
"""The tenant of what concerns the installation and no tenant in it."""


def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


Names = Annotated[tuple[Name, ...], Field(max_length=MOST_NAMES), AfterValidator(_in_order)]
"""Exact names, each once and in order."""


class Scope(Record):
    """What somebody may touch, whatever their role allows. None is everything; what has no name is outside of names."""

    environments: Names | None = None
    services: Names | None = None
    clusters: Names | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is outside."""
        return self == _WHOLE

    def covers(self, *, environment: str | None, service: str | None, cluster: str | None) -> bool:
        """Say whether a place is inside."""
        named = ((self.environments, environment), (self.services, service), (self.clusters, cluster))
        return all(names is None or name in names for names, name in named)

    def within(self, other: Self) -> bool:
        """Say whether all that is inside is inside the other, too."""
        pairs = (
            (self.environments, other.environments),
            (self.services, other.services),
            (self.clusters, other.clusters),
        )
        return all(theirs is None or (mine is not None and set(mine) <= set(theirs)) for mine, theirs in pairs)


_WHOLE = Scope()


class Actor(Record):
    """A person, service or agent that can be held to account."""

    id: str = Field(min_length=1)
    kind: Literal["person", "service", "agent"] = "person"
    roles: Annotated[frozenset[str], IN_ORDER] = frozenset()
    scope: Scope = _WHOLE
    owner: str | None = Field(default=None, description="the person who answers for it: whoever made the key it uses")

    @property
    def answerable(self) -> frozenset[str]:
        """Who stands behind what it writes: itself, and whoever answers for it."""
        return frozenset(each for each in (self.id, self.owner) if each is not None)


class Attempt(Record):
    """One try to carry out a request that its caller may send again: under which key, and which try of those."""

    id: str = Field(min_length=1)
    key: str = Field(min_length=1)


class Call(Record):
    """The circumstances of one request, message or task."""

    actor: Actor
    tenant: str = Field(min_length=1)
    at: AwareDatetime
    trace: str = Field(description="W3C trace id, 32 hex digits")
    attempt: Attempt | None = Field(None, description="what the caller's units of work must mark as having an effect")

    def by_the_clock(self) -> Self:
        """Return this call for what happens because its time has come: the scope of whoever once asked has no say."""
        return self.model_copy(update={"actor": self.actor.model_copy(update={"scope": _WHOLE})})
