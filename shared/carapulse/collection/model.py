"""A collector as a tenant keeps it, and how its runs go. Pure values and their transitions."""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import AwareDatetime, Field

from carapulse.context.model import Word
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.canonical import storable
from carapulse.kernel.context import Context
from carapulse.kernel.errors import Problem
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.tools.model import JsonObject, Name

ROLE: Final = "collector"
_STALE_AFTER = 3
_LONGEST_DETAIL = 300
_LONGEST_SAID = 500

CollectorName = Word
"""The name of a collector, which is also the source that its reports are from."""


class CollectorTerms(Record):
    """Which system is asked, where, how often, and what more its collector must know."""

    system: Name = Field(description="a tool that has a collector")
    context: Context = Field(description="the place, by which the tool's connection is chosen")
    every_s: int = Field(300, ge=60, le=86_400, strict=True, description="seconds from one run to the next")
    input: JsonObject = Field(default_factory=dict, max_length=20)
    enabled: bool = Field(default=True, strict=True)


class Collector(CollectorTerms):
    """A collector as it is kept."""

    id: str
    name: CollectorName
    revision: int = Field(ge=1)
    created_by: str
    created_at: AwareDatetime
    updated_by: str
    updated_at: AwareDatetime

    @classmethod
    def of(cls, name: str, terms: CollectorTerms, call: Call) -> Self:
        """Return a new collector."""
        who, at = call.actor.id, call.at
        facts: dict[str, Any] = {"id": new_id("collector"), "name": name, "revision": 1}
        return cls(**dict(terms), **facts, created_by=who, created_at=at, updated_by=who, updated_at=at)

    @property
    def terms(self) -> CollectorTerms:
        """What people may change."""
        return CollectorTerms(**{name: getattr(self, name) for name in CollectorTerms.model_fields})

    def changed(self, terms: CollectorTerms, call: Call) -> Self:
        """Return this collector on other terms."""
        facts = {"revision": self.revision + 1, "updated_by": call.actor.id, "updated_at": call.at}
        return self.model_copy(update={**dict(terms), **facts})

    @property
    def actor(self) -> Actor:
        """Who asks when it runs: a service that may report what there is, and nothing else."""
        return Actor(id=f"collector:{self.name}", kind="service", roles=frozenset({ROLE}))

    def due_after(self, due: datetime, at: datetime) -> datetime:
        """Return the first moment after now at which it is due; however many were missed, one run stands for all."""
        every = timedelta(seconds=self.every_s)
        return due + every * (max(0, (at - due) // every) + 1)


class Failure(Record):
    """Why a run reported nothing: its code, which read it was, our words, and what the system said."""

    code: str
    read: str | None = None
    detail: str
    said: str | None = None
    passes: bool = Field(default=False, exclude=True, description="whether the same may be asked again at once")

    @classmethod
    def of(cls, problem: Problem, read: str | None = None, said: str | None = None) -> Self:
        """Return a problem as it is kept, in as much text as may be shown."""
        heard = storable(said or str(problem.facts.get("said") or ""))[-_LONGEST_SAID:].strip()
        detail = storable(problem.detail)[:_LONGEST_DETAIL]
        return cls(code=problem.code, read=read, detail=detail, said=heard or None, passes=problem.retryable)

    def is_like(self, other: "Failure | None") -> bool:
        """Say whether another run failed for the same reason; what the system said may differ each time."""
        return other is not None and (self.code, self.read, self.detail) == (other.code, other.read, other.detail)


class Lease(Record):
    """That a worker is at a run, and until when it is believed to be."""

    id: str
    until: AwareDatetime


class Progress(Record):
    """How the runs of a collector go. A run is the one that was asked for last, or it is not carried out."""

    run_id: str | None = None
    is_done: bool = True
    lease: Lease | None = None
    started_at: AwareDatetime | None = None
    succeeded_at: AwareDatetime | None = None
    failed_at: AwareDatetime | None = None
    failing_since: AwareDatetime | None = None
    failure: Failure | None = None
    nodes: int = 0
    edges: int = 0
    snapshot_id: str | None = None

    def asked(self, run_id: str) -> Self:
        """Return the progress once a run is asked for; one that was asked for before and has not begun is not made."""
        return self.model_copy(update={"run_id": run_id, "is_done": False})

    def awaits(self, run_id: str) -> bool:
        """Say whether this run is still to be made."""
        return self.run_id == run_id and not self.is_done

    def is_taken(self, at: datetime) -> bool:
        """Say whether a worker is at a run."""
        return self.lease is not None and self.lease.until > at

    def taken(self, lease: Lease, at: datetime) -> Self:
        """Return the progress once a worker has begun."""
        return self.model_copy(update={"lease": lease, "started_at": at})

    def held(self, lease: Lease) -> Self:
        """Return the progress once a worker has said that it is still at it."""
        return self.model_copy(update={"lease": lease})

    def let_go(self) -> Self:
        """Return the progress once a worker gave a run back without an end."""
        return self.model_copy(update={"lease": None})

    def succeeded(self, run_id: str, at: datetime, *, nodes: int, edges: int, snapshot_id: str | None) -> Self:
        """Return the progress once everything was seen; `snapshot_id` is None if that is what was seen before."""
        seen = {"nodes": nodes, "edges": edges, "snapshot_id": snapshot_id or self.snapshot_id}
        well = {"succeeded_at": at, "failing_since": None, "failure": None}
        return self._ended(run_id).model_copy(update={**seen, **well})

    def failed(self, run_id: str, at: datetime, failure: Failure) -> Self:
        """Return the progress once a run could not see everything; what was seen before stays."""
        since = self.failing_since or at
        return self._ended(run_id).model_copy(update={"failed_at": at, "failing_since": since, "failure": failure})

    def _ended(self, run_id: str) -> Self:
        return self.model_copy(update={"lease": None, "is_done": self.is_done or self.run_id == run_id})


def is_stale(collector: Collector, progress: Progress, at: datetime) -> bool:
    """Say whether what a collector said last is older than three times what it should be."""
    since = progress.succeeded_at or collector.created_at
    return at - since > _STALE_AFTER * timedelta(seconds=collector.every_s)
