"""Nodes and edges as sources report them, and the one graph that all reports make. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from carapulse.kernel.canonical import digest
from carapulse.kernel.record import Record

MOST_NODES = 10_000
MOST_EDGES = 30_000
SERVICE = "service"

NodeId = Annotated[str, StringConstraints(max_length=500, pattern=r"^[!-.0-~]+(/[!-.0-~]+)*$")]
"""Printable ASCII in parts between slashes, without spaces, as in `k8s/deployment/shop/checkout`."""
Word = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
LabelKey = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(max_length=253, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=50)]
EdgeKey = tuple[str, str, str]


class Node(Record):
    """One thing that there is: a service, a namespace, an alert, a dashboard."""

    id: NodeId
    kind: Word
    name: Line
    labels: Labels = Field(default_factory=dict)
    owner_team: Line | None = None


class Edge(Record):
    """How one thing hangs on another: the first `contains`, `targets` or `runs_in` the second."""

    model_config = ConfigDict(populate_by_name=True)

    from_: NodeId = Field(alias="from")
    to: NodeId
    relation: Word
    labels: Labels = Field(default_factory=dict)

    @property
    def key(self) -> EdgeKey:
        """What tells it from every other edge."""
        return (self.from_, self.to, self.relation)


class KnownNode(Node):
    """A node, and who reported it."""

    source: Word


class KnownEdge(Edge):
    """An edge, and who reported it."""

    source: Word


class RefreshContext(Record):
    """What one source sees: all of it (`complete`), or what is to be added to what it saw before."""

    source: Word
    complete: bool = Field(default=False, strict=True, description="whether what it doesn't name is gone")
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.complete or self.nodes or self.edges):
            raise ValueError("name nodes or edges, or say `complete` for a source that sees nothing any more")
        return self


class Graph(NamedTuple):
    """What there is, by key. Only edges both of whose ends there are belong to it."""

    nodes: Mapping[str, KnownNode]
    edges: Mapping[EdgeKey, KnownEdge]

    @property
    def content(self) -> dict[str, list[dict[str, Any]]]:
        """The JSON that is kept and digested, in the order of keys."""
        return {
            "nodes": [self.nodes[key].model_dump(mode="json") for key in sorted(self.nodes)],
            "edges": [self.edges[key].model_dump(mode="json", by_alias=True) for key in sorted(self.edges)],
        }

    @property
    def labels(self) -> dict[str, str]:
        """The labels that every node has, with the same value."""
        all_of_them = [set(node.labels.items()) for node in self.nodes.values()]
        return dict(sorted(set.intersection(*all_of_them))) if all_of_them else {}


class Snapshot(Record):
    """One state of the graph, right after a source reported. Never changed; the digest is over its content."""

    id: str = Field(min_length=1)
    digest: str
    source: Word
    complete: bool
    taken_at: AwareDatetime
    taken_by: str = Field(min_length=1)
    node_count: int = Field(ge=0)
    edge_count: int = Field(ge=0)
    labels: dict[str, str] = Field(description="those that every node has, with the same value")

    @classmethod
    def of(cls, graph: Graph, content: object, asked: RefreshContext, **facts: Any) -> Self:  # noqa: ANN401
        """Return the snapshot of a graph that is as a source has just reported."""
        return cls(
            digest=digest(content),
            source=asked.source,
            complete=asked.complete,
            node_count=len(graph.nodes),
            edge_count=len(graph.edges),
            labels=graph.labels,
            **facts,
        )
