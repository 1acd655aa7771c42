"""What every source says, and what changes when one of them reports. Pure.

Several sources may speak of one node: who spoke last is believed. What a source stops saying is gone only when no other
says it; an edge that has lost an end is not shown, and is there again when the end is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Generic, NamedTuple, Self, TypeVar

from carapulse.context.errors import ContextInvalid, ContextTooLarge
from carapulse.context.model import (
    MOST_EDGES,
    MOST_NODES,
    Edge,
    EdgeKey,
    Graph,
    KnownEdge,
    KnownNode,
    RefreshContext,
)
from carapulse.kernel.errors import Fault

K = TypeVar("K", str, EdgeKey)
V = TypeVar("V", KnownNode, KnownEdge)
_MOST_FAULTS = 50


class Stated(NamedTuple, Generic[V]):
    """What one source says of one node or edge, and since when it says so."""

    value: V
    at: datetime


Nodes = Mapping[tuple[str, str], Stated[KnownNode]]
Edges = Mapping[tuple[EdgeKey, str], Stated[KnownEdge]]


@dataclass(frozen=True, slots=True)
class Statements:
    """Everything that every source says, by key and source."""

    nodes: Nodes
    edges: Edges

    def graph(self) -> Graph:
        """Return what there is."""
        nodes = _newest(self.nodes)
        edges = _newest(self.edges)
        return Graph(nodes, {key: edge for key, edge in edges.items() if edge.from_ in nodes and edge.to in nodes})

    def refreshed(self, asked: RefreshContext, at: datetime) -> Self:
        """Return what is said after a source has reported. What it only repeats keeps its moment.

        Raises ContextInvalid with every fault, or ContextTooLarge.
        """
        if faults := tuple(islice(self._faults(asked), _MOST_FAULTS)):
            raise ContextInvalid("what the source reports can't be so", faults=faults)
        source = asked.source
        nodes = {(node.id, source): Stated(KnownNode(**dict(node), source=source), at) for node in asked.nodes}
        edges = {(edge.key, source): Stated(KnownEdge(**dict(edge), source=source), at) for edge in asked.edges}
        after = type(self)(_merged(self.nodes, nodes, asked), _merged(self.edges, edges, asked))
        if len(after.nodes) > MOST_NODES or len(after.edges) > MOST_EDGES:
            raise ContextTooLarge("the context would be too large", most_nodes=MOST_NODES, most_edges=MOST_EDGES)
        return after

    def _faults(self, asked: RefreshContext) -> Iterator[Fault]:
        kinds = {key: said.value.kind for (key, source), said in self.nodes.items() if source != asked.source}
        known = set(kinds) | {node.id for node in asked.nodes}
        if not asked.complete:
            known |= {key for key, source in self.nodes if source == asked.source}
        for number in _twice(node.id for node in asked.nodes):
            detail = f"{asked.nodes[number].id} is named before"
            yield Fault(pointer=f"/nodes/{number}", code="duplicate-node", detail=detail)
        for number, node in enumerate(asked.nodes):
            if kinds.get(node.id, node.kind) != node.kind:
                detail = f"another source says that {node.id} is of kind {kinds[node.id]}"
                yield Fault(pointer=f"/nodes/{number}/kind", code="another-kind", detail=detail)
        yield from _edge_faults(asked.edges, known)


def _edge_faults(edges: Sequence[Edge], known: set[str]) -> Iterator[Fault]:
    for number in _twice(edge.key for edge in edges):
        yield Fault(pointer=f"/edges/{number}", code="duplicate-edge", detail="the same edge is named before")
    for number, edge in enumerate(edges):
        place = f"/edges/{number}"
        if edge.from_ == edge.to:
            yield Fault(pointer=f"{place}/to", code="self-edge", detail="nothing hangs on itself")
        for end, node_id in (("from", edge.from_), ("to", edge.to)):
            if node_id not in known:
                yield Fault(pointer=f"{place}/{end}", code="dangling-edge", detail=f"there is no node {node_id}")


def _twice(keys: Iterable[object]) -> Iterator[int]:
    """Yield the place of everything whose key was there before."""
    seen: set[object] = set()
    for number, key in enumerate(keys):
        if key in seen:
            yield number
        seen.add(key)


def _merged(
    former: Mapping[tuple[K, str], Stated[V]], new: Mapping[tuple[K, str], Stated[V]], asked: RefreshContext
) -> dict[tuple[K, str], Stated[V]]:
    kept = {key: said for key, said in former.items() if not (asked.complete and key[1] == asked.source)}
    repeated = {key: former[key] for key, said in new.items() if key in former and former[key].value == said.value}
    return {**kept, **new, **repeated}


def _newest(stated: Mapping[tuple[K, str], Stated[V]]) -> dict[K, V]:
    """Return what was said last of each; of what was said at once, what the first source by name says."""
    ordered = groupby(sorted(stated), key=lambda each: each[0])
    return {key: max((stated[each] for each in said), key=lambda each: each.at).value for key, said in ordered}
