"""What can go wrong with a dead letter."""

from carapulse.kernel.errors import Conflict, NotFound


class DeadLetterNotFound(NotFound):
    """No such message among the dead letters of this tenant."""

    code = "dead-letter-not-found"


class MessageNotDead(Conflict):
    """The message is on its way: somebody has replayed it, or it was never given up."""

    code = "message-not-dead"
