"""What people are shown of the context."""

from typing import Literal

from carapulse.context.diffing import Counts
from carapulse.context.model import KnownEdge, KnownNode, Snapshot
from carapulse.kernel.record import Record

Direction = Literal["out", "in", "both"]


class PlacedNode(KnownNode):
    """A node, and how many edges lie between it and what was asked about."""

    depth: int


class GraphView(Record):
    """What hangs on something, nearest first. `truncated`: there is more than is shown; ask with a smaller depth."""

    roots: tuple[str, ...]
    depth: int
    direction: Direction
    nodes: tuple[PlacedNode, ...]
    edges: tuple[KnownEdge, ...]
    truncated: bool


class SnapshotView(Snapshot):
    """A snapshot with everything that there was."""

    nodes: tuple[KnownNode, ...]
    edges: tuple[KnownEdge, ...]

    @property
    def kept(self) -> Snapshot:
        """What stands for all of it, because it holds its digest."""
        return Snapshot(**{name: getattr(self, name) for name in Snapshot.model_fields})


class Refreshed(Record):
    """What became of a report: the snapshot, and how much is otherwise than before."""

    snapshot: Snapshot
    nodes: Counts
    edges: Counts
