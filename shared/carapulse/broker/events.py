"""What happens at the door between a broker and us: facts of the installation's own tenant."""

from carapulse.kernel.event import Event

STREAM = "broker"


class ForgedMessageSeen(Event):
    """A broker delivered what this installation did not write. It was not acted upon."""

    queue: str
    text_digest: str
