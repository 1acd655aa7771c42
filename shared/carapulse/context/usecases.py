"""What can be asked of the context. One function is one thing that somebody can ask for."""

from datetime import datetime

from carapulse.context.diffing import SnapshotDiff, counts
from carapulse.context.errors import NodeNotFound
from carapulse.context.events import ContextRefreshed
from carapulse.context.model import KnownNode, RefreshContext, Snapshot
from carapulse.context.ports import ContextPorts, ContextWork, GraphWanted, ServiceFilter, SnapshotFilter
from carapulse.context.statements import Statements
from carapulse.context.views import GraphView, Refreshed, SnapshotView
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.ids import new_id
from carapulse.observe import get_logger

log = get_logger(__name__)


def refresh_context(asked: RefreshContext, call: Call, ports: ContextPorts) -> Refreshed:
    """Take what one source sees, and keep a snapshot of what there is since then, in one write."""
    with ports.begin(call) as work:
        work.context.lock()
        former, at = work.context.statements(), work.now()
        return _keep(asked, former, former.refreshed(asked, at), at, call, work)


def report_news(asked: RefreshContext, call: Call, work: ContextWork) -> Refreshed | None:
    """Take what one source sees within a unit of work; None, and nothing is written, if it says what it said before."""
    work.context.lock()
    former, at = work.context.statements(), work.now()
    after = former.refreshed(asked, at)
    return None if after == former else _keep(asked, former, after, at, call, work)


def list_services(wanted: ServiceFilter, call: Call, ports: ContextPorts) -> Page[KnownNode]:
    """Return services, by id."""
    with ports.begin(call) as work:
        return work.context.services(wanted)


def get_node(node_id: str, call: Call, ports: ContextPorts) -> KnownNode:
    """Return one node."""
    with ports.begin(call) as work:
        return work.context.node(node_id)


def show_graph(wanted: GraphWanted, call: Call, ports: ContextPorts) -> GraphView:
    """Return what lies around a node, or around the services of a name."""
    with ports.begin(call) as work:
        roots = work.context.roots(wanted.service)
        if not roots:
            raise NodeNotFound("no node of that id, and no service of that name", service=wanted.service)
        return work.context.around(roots, wanted)


def list_snapshots(wanted: SnapshotFilter, call: Call, ports: ContextPorts) -> Page[Snapshot]:
    """Return snapshots, the newest first."""
    with ports.begin(call) as work:
        return work.context.snapshots(wanted)


def get_snapshot(snapshot_id: str, call: Call, ports: ContextPorts) -> SnapshotView:
    """Return one snapshot with everything that there was."""
    with ports.begin(call) as work:
        snapshot, graph = work.context.snapshot(snapshot_id)
    return SnapshotView(**dict(snapshot), nodes=tuple(graph.nodes.values()), edges=tuple(graph.edges.values()))


def diff_snapshots(snapshot_id: str, base: str, call: Call, ports: ContextPorts) -> SnapshotDiff:
    """Return how a snapshot differs from another, its base."""
    with ports.begin(call) as work:
        snapshot, graph = work.context.snapshot(snapshot_id)
        other, former = work.context.snapshot(base)
    return SnapshotDiff.of((snapshot.id, graph), (other.id, former))


def _keep(
    asked: RefreshContext, former: Statements, after: Statements, at: datetime, call: Call, work: ContextWork
) -> Refreshed:
    work.context.change(former, after)
    before, graph = former.graph(), after.graph()
    content = graph.content
    snapshot = Snapshot.of(graph, content, asked, id=new_id("snapshot"), taken_at=at, taken_by=call.actor.id)
    work.context.add(snapshot, content)
    refreshed = Refreshed(
        snapshot=snapshot, nodes=counts(before.nodes, graph.nodes), edges=counts(before.edges, graph.edges)
    )
    work.record(snapshot.id, _fact(refreshed))
    log.info("context_refreshed", snapshot_id=snapshot.id, source=asked.source, nodes=snapshot.node_count)
    return refreshed


def _fact(refreshed: Refreshed) -> ContextRefreshed:
    snapshot = refreshed.snapshot
    return ContextRefreshed(
        snapshot_id=snapshot.id,
        source=snapshot.source,
        complete=snapshot.complete,
        digest=snapshot.digest,
        node_count=snapshot.node_count,
        edge_count=snapshot.edge_count,
        nodes=refreshed.nodes,
        edges=refreshed.edges,
    )
