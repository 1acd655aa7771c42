"""What people are shown of collectors."""

from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, Field

from carapulse.collection.model import Collector, Failure, is_stale
from carapulse.collection.ports import Kept
from carapulse.kernel.record import Record


class CollectorStatus(Record):
    """How the runs of a collector go, and how old what it said is."""

    state: Literal["never", "ok", "failing"] = Field(description="how the last run that came to an end went")
    running: bool
    last_started_at: AwareDatetime | None
    last_success_at: AwareDatetime | None
    last_failure_at: AwareDatetime | None
    failing_since: AwareDatetime | None
    last_error: Failure | None = Field(description="why the last run failed; null once one has succeeded")
    next_at: AwareDatetime | None = Field(description="null for one that is switched off")
    age_s: int | None = Field(description="seconds since it last saw everything; null if it never did")
    stale: bool = Field(description="whether that is longer ago than three times `every_s`")
    nodes: int
    edges: int
    snapshot_id: str | None = Field(description="the last snapshot that one of its reports made")

    @classmethod
    def of(cls, kept: Kept, at: datetime) -> Self:
        """Return how it stands at a moment."""
        progress, succeeded = kept.progress, kept.progress.succeeded_at
        return cls(
            state="failing" if progress.failure else "ok" if succeeded else "never",
            running=progress.is_taken(at),
            last_started_at=progress.started_at,
            last_success_at=succeeded,
            last_failure_at=progress.failed_at,
            failing_since=progress.failing_since,
            last_error=progress.failure,
            next_at=kept.next_at,
            age_s=None if succeeded is None else max(0, int((at - succeeded).total_seconds())),
            stale=is_stale(kept.collector, progress, at),
            nodes=progress.nodes,
            edges=progress.edges,
            snapshot_id=progress.snapshot_id,
        )


class CollectorView(Collector):
    """A collector, and how its runs go."""

    status: CollectorStatus

    @classmethod
    def of_kept(cls, kept: Kept, at: datetime) -> Self:
        """Return a collector as it is shown at a moment."""
        return cls(**dict(kept.collector), status=CollectorStatus.of(kept, at))

    @property
    def kept(self) -> Collector:
        """What the ETag is over: runs go by without changing it."""
        return Collector(**{name: getattr(self, name) for name in Collector.model_fields})


class PutCollector(Record):
    """A collector as it is from now on, and whether it is new."""

    collector: CollectorView
    created: bool
