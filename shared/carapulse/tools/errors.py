"""What can go wrong with a tool, named for what the caller should do."""

from carapulse.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable


class UnknownAction(Invalid):
    """No tool or action has this name. Names are matched exactly, never by parts."""

    code = "unknown-action"


class NoSuchTool(NotFound):
    """The catalogue has no tool, or no action of a tool, under this name."""

    code = "tool-not-found"


class ManifestInvalid(Invalid):
    """A manifest can't be trusted as it stands; each fault says where."""

    code = "manifest-invalid"


class ConnectionsInvalid(Invalid):
    """The file of connections can't be read as it stands."""

    code = "connections-invalid"


class InputRefused(Invalid):
    """The input of an action is not one that its schema or its manifest allows."""

    code = "input-refused"


class AmbiguousConnection(Invalid):
    """Several connections fit equally well, so none can be chosen."""

    code = "ambiguous-connection"


class NoConnection(Denied):
    """Nobody has connected this tool for this tenant and place."""

    code = "no-connection"


class ConnectionForbids(Denied):
    """The connection does not let this through."""

    code = "connection-forbids"


class EgressRefused(Denied):
    """The address is not one that the connection may reach."""

    code = "egress-refused"


class UndoUnknown(Conflict):
    """What was captured does not say how to go back."""

    code = "undo-unknown"


class SecretMissing(Unavailable):
    """A secret that a connection refers to can't be read now."""

    code = "secret-missing"


class SecretFieldMissing(SecretMissing):
    """A secret is there, and the field of it that a connection refers to is not."""

    code = "secret-field-missing"


class SecretForbidden(Unavailable):
    """The store of secrets does not let this installation read what a connection refers to."""

    code = "secret-forbidden"


class SecretStoreBusy(Unavailable):
    """The store of secrets was asked too often."""

    code = "secret-store-busy"


class SecretStoreAway(Unavailable):
    """The store of secrets can't be asked now."""

    code = "secret-store-away"


class ToolUnavailable(Unavailable):
    """The program or the service behind a tool did not answer; nothing was changed."""

    code = "tool-unavailable"
