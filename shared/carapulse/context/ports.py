"""What the context needs from the world."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from pydantic import Field, StringConstraints

from carapulse.context.model import Graph, KnownNode, Line, Snapshot
from carapulse.context.statements import Statements
from carapulse.context.views import Direction, GraphView
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.record import Record
from carapulse.kernel.spelling import WHOLE
from carapulse.kernel.work import Work

Selector = Annotated[
    str,
    StringConstraints(max_length=360, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*(=[^\x00-\x1f\x7f-\x9f]*)?$"),
]


class ServiceFilter(Wanted):
    """Which services are wanted, and which page of them."""

    owner_team: Line | None = None
    label: list[Selector] = Field(
        default_factory=list, max_length=10, description="`key=value`, or `key` for any value; all of them must hold"
    )


class SnapshotFilter(Wanted):
    """Which snapshots are wanted, and which page of them."""

    source: Line | None = Field(None, description="who reported")


class GraphWanted(Record):
    """What is asked about, how far to look from it, and which way the edges lead."""

    service: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(description="an id, or a name")
    depth: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(1, description="how many edges away")
    direction: Direction = "both"


class Contexts(Protocol):
    """Where the context is kept. Every call is within one tenant and one transaction."""

    def lock(self) -> None:
        """Be the only one who refreshes this tenant's context until the transaction ends."""
        ...

    def statements(self) -> Statements:
        """Return everything that every source says."""
        ...

    def change(self, former: Statements, after: Statements) -> None:
        """Keep what sources say from now on; `former` is what they said."""
        ...

    def add(self, snapshot: Snapshot, content: object) -> None:
        """Keep a snapshot with its content, which may be kept already."""
        ...

    def services(self, wanted: ServiceFilter) -> Page[KnownNode]:
        """Return services, by id."""
        ...

    def node(self, node_id: str) -> KnownNode:
        """Return one node, or raise NodeNotFound."""
        ...

    def roots(self, name_or_id: str) -> Sequence[str]:
        """Return the id, if a node has it; else those of the services of that name."""
        ...

    def around(self, roots: Sequence[str], wanted: GraphWanted) -> GraphView:
        """Return what lies around these nodes."""
        ...

    def snapshots(self, wanted: SnapshotFilter) -> Page[Snapshot]:
        """Return snapshots, the newest first."""
        ...

    def snapshot(self, snapshot_id: str) -> tuple[Snapshot, Graph]:
        """Return one snapshot and what there was, or raise SnapshotNotFound."""
        ...


class ContextWork(Work, Protocol):
    """A unit of work that can reach the context."""

    @property
    def context(self) -> Contexts:
        """The context within this unit."""
        ...


class ContextPorts(Protocol):
    """Everything the context area asks of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    def begin(self, call: Call) -> ContextWork:
        """Open a unit of work for the caller's tenant."""
        ...
