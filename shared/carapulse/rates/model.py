"""What is counted, and how much of it is allowed. Pure values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

WINDOW_S = 60

Kind = Literal["actor", "tenant", "source"]


class RateClass(StrEnum):
    """Requests that cost alike are counted together."""

    READ = "read"
    WRITE = "write"
    START = "start"
    STREAM = "stream"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests of a class one actor or source may make in a window, and a whole tenant if that is limited."""

    each: int
    tenant: int | None = None


Quotas = Mapping[RateClass, Quota]


@dataclass(frozen=True, slots=True)
class Key:
    """Whose requests are counted together."""

    tenant: str | None
    rate_class: RateClass
    kind: Kind
    name: str

    @property
    def policy(self) -> str:
        """The name that callers are shown."""
        return f"{self.rate_class}-tenant" if self.kind == "tenant" else str(self.rate_class)


@dataclass(frozen=True, slots=True)
class Spender:
    """Who makes a request of a class. A source's tenant is known to the database alone."""

    rate_class: RateClass
    name: str
    tenant: str | None = None

    def keys(self, quotas: Quotas) -> Iterator[tuple[Key, int]]:
        """Yield what the request is counted for, and how many are allowed in a window."""
        quota = quotas[self.rate_class]
        yield Key(self.tenant, self.rate_class, "source" if self.tenant is None else "actor", self.name), quota.each
        if quota.tenant is not None and self.tenant is not None:
            yield Key(self.tenant, self.rate_class, "tenant", ""), quota.tenant


@dataclass(frozen=True, slots=True)
class Claim:
    """How many requests a process wants to let through without asking again."""

    key: Key
    wanted: int
    most: int


@dataclass(frozen=True, slots=True)
class Grant:
    """How many it may, of how many that all processes took by now, in which window, and until when in seconds."""

    granted: int
    taken: int
    slot: int
    left_s: float


@dataclass(frozen=True, slots=True)
class Share:
    """What a caller is told about one of its limits."""

    policy: str
    most: int
    left: int
    reset_s: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller is told about all of them, and which one, if any, refuses the request."""

    shares: tuple[Share, ...] = ()
    refused_by: Share | None = None
