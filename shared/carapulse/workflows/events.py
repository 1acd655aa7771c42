"""What happens to a tenant's own workflows. Each is a fact in the stream `workflow:NAME`."""

from typing import Self

from carapulse.kernel.event import Event
from carapulse.workflows.model import OwnVersion


class _Version(Event):
    name: str
    version: int
    digest: str

    @classmethod
    def of(cls, own: OwnVersion) -> Self:
        """Return the fact about this version."""
        return cls(name=own.recipe.name, version=own.recipe.version, digest=own.digest)


class WorkflowVersionAdded(_Version):
    """A tenant made a version of a workflow; from now on it is the one that is started."""


class WorkflowVersionRetired(_Version):
    """A version is not started any more; the one before it is again, or the one that comes with the program."""


def stream_of(name: str) -> str:
    """Return the stream of a workflow's versions."""
    return f"workflow:{name}"
