"""How two states of the graph differ, in the order of keys. Pure."""

from collections.abc import Mapping
from typing import Generic, NamedTuple, Self, TypeVar

from carapulse.context.model import EdgeKey, Graph, KnownEdge, KnownNode
from carapulse.kernel.record import Record

T = TypeVar("T", KnownNode, KnownEdge)
K = TypeVar("K", str, EdgeKey)


class Changed(Record, Generic[T]):
    """The same thing, as it was and as it is."""

    before: T
    after: T


class Differences(NamedTuple, Generic[T]):
    """What came, what went, and what is otherwise than it was."""

    added: tuple[T, ...]
    removed: tuple[T, ...]
    changed: tuple[Changed[T], ...]


class SnapshotDiff(Record):
    """How one snapshot differs from another, its base."""

    snapshot_id: str
    base_snapshot_id: str
    added_nodes: tuple[KnownNode, ...]
    removed_nodes: tuple[KnownNode, ...]
    changed_nodes: tuple[Changed[KnownNode], ...]
    added_edges: tuple[KnownEdge, ...]
    removed_edges: tuple[KnownEdge, ...]
    changed_edges: tuple[Changed[KnownEdge], ...]

    @classmethod
    def of(cls, snapshot: tuple[str, Graph], base: tuple[str, Graph]) -> Self:
        """Return how a snapshot differs from its base; each is an id and what there was."""
        nodes = differences(base[1].nodes, snapshot[1].nodes)
        edges = differences(base[1].edges, snapshot[1].edges)
        return cls(
            snapshot_id=snapshot[0],
            base_snapshot_id=base[0],
            added_nodes=nodes.added,
            removed_nodes=nodes.removed,
            changed_nodes=nodes.changed,
            added_edges=edges.added,
            removed_edges=edges.removed,
            changed_edges=edges.changed,
        )


class Counts(Record):
    """How many came, went, and are otherwise than they were."""

    added: int
    removed: int
    changed: int


def differences(before: Mapping[K, T], after: Mapping[K, T]) -> Differences[T]:
    """Return how two states differ."""
    both = sorted(before.keys() & after.keys())
    return Differences(
        tuple(after[key] for key in sorted(after.keys() - before.keys())),
        tuple(before[key] for key in sorted(before.keys() - after.keys())),
        tuple(Changed(before=before[key], after=after[key]) for key in both if before[key] != after[key]),
    )


def counts(before: Mapping[K, T], after: Mapping[K, T]) -> Counts:
    """Return how much two states differ."""
    found = differences(before, after)
    return Counts(added=len(found.added), removed=len(found.removed), changed=len(found.changed))
