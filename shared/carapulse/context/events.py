"""What happens to the context. Each snapshot is a stream of its own, so that it rests once it is written."""

from carapulse.context.diffing import Counts
from carapulse.kernel.event import Event


class ContextRefreshed(Event):
    """A source reported what it sees, and this snapshot is what there is since then."""

    snapshot_id: str
    source: str
    complete: bool
    digest: str
    node_count: int
    edge_count: int
    nodes: Counts
    edges: Counts
