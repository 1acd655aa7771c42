"""What can go wrong with the context."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound


class NodeNotFound(NotFound):
    """No node of that id, or no service of that name, for this tenant."""

    code = "context-node-not-found"


class SnapshotNotFound(NotFound):
    """No snapshot with that id for this tenant."""

    code = "context-snapshot-not-found"


class ContextInvalid(Invalid):
    """What a source reports contradicts itself, or what is known already; each fault says where."""

    code = "context-invalid"


class ContextTooLarge(Conflict):
    """With this the tenant's context would be larger than one may be."""

    code = "context-too-large"
