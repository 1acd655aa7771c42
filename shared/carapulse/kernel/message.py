"""Message: work that somebody else is to do, sent in the same write as the state that asks for it."""

from typing import ClassVar

from carapulse.kernel.record import Record

QUEUES = frozenset({"approvals", "collection", "executions", "notifications", "planning"})
"""The queues that there are; a broker has an address for each."""

ORCHESTRATION = "orchestration"
"""The queue that there is besides where a state machine of a cloud carries changes."""


class Message(Record):
    """Base of every message. The class name is the public message type; delivery is at least once."""

    queue: ClassVar[str]

    @property
    def type(self) -> str:
        """The public name of this kind of message."""
        return type(self).__name__
