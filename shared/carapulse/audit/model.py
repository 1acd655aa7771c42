"""What the log holds: an entry is one event in its place; sealed, it carries its hash."""

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field

from carapulse.kernel.cursor import Wanted
from carapulse.kernel.event import Event
from carapulse.kernel.moment import Moment
from carapulse.kernel.record import Record

Word = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]
Decided = Literal["allow", "deny", "require_approval"]


class Entry(Record):
    """One event in its place in one stream, before its hash is known."""

    tenant: str = Field(min_length=1)
    stream: str = Field(min_length=1, description="the id of what it is about; for a plan, the plan's id")
    seq: int = Field(ge=1)
    id: str = Field(min_length=1)
    type: str = Field(min_length=1)
    at: AwareDatetime
    actor: str = Field(min_length=1)
    trace: str
    body: dict[str, Any]
    prev: str = Field(description="the hash of the entry before it, or empty for the first")


class SealedEntry(Entry):
    """One event as the log holds it, with the hash that the next one names."""

    hash: str


class Head(Record):
    """Where a stream ends: how many events it has, and the hash of the last."""

    stream: str
    count: int
    hash: str


class EventQuery(Record):
    """Which events are wanted. `action` and `decision` are about what policy decided, and leave out all else."""

    model_config = ConfigDict(populate_by_name=True)

    stream: Word | None = None
    plan_id: Word | None = Field(None, description="a plan's id is the name of its stream")
    type: Word | None = None
    actor_id: Word | None = None
    action: Word | None = Field(None, description="what policy was asked about, such as `plan.execute`")
    decision: Decided | None = Field(None, description="what policy said")
    since: Moment | None = Field(None, alias="from", description="not before this moment")
    until: Moment | None = Field(None, alias="to", description="before this moment")


class EventFilter(EventQuery, Wanted):
    """Which events are wanted, and which page of them."""


class ExportEvents(EventQuery):
    """Which events are taken out of the log, and as what: lines of JSON, or a table for a spreadsheet."""

    format: Literal["csv", "jsonl"]


class EventsExported(Event):
    """Somebody took events out of the log: those up to a moment for which these words hold."""

    format: str
    until: str
    wanted: dict[str, str]


class EvidenceExported(Event):
    """Somebody took the evidence of a plan."""

    plan_id: str
    count: int
    head: str

    @classmethod
    def of(cls, head: Head) -> Self:
        """Return the fact that everything up to this head was taken."""
        return cls(plan_id=head.stream, count=head.count, head=head.hash)
