"""What can go wrong with an approval."""

from carapulse.kernel.errors import Conflict, Denied, Invalid, NotFound


class ApprovalNotFound(NotFound):
    """Nobody was asked to approve this, or not for this tenant."""

    code = "approval-not-found"


class SelfApproval(Denied):
    """Whoever asked for a change can't also approve it; another person is needed."""

    code = "self-approval"


class SelfApprovalInProduction(Invalid):
    """An installation can't let requesters approve in a production environment."""

    code = "self-approval-in-production"


class ApprovalClosed(Conflict):
    """The question was answered, withdrawn or used already."""

    code = "approval-closed"


class ApprovalExpired(Conflict):
    """The answer came, or was used, too late; the plan must be asked for again."""

    code = "approval-expired"


class AlreadyAnswered(Conflict):
    """The person has answered already; an answer stands."""

    code = "already-answered"


class AnswerDelegated(Conflict):
    """The person has handed their answer to somebody else, and has none until that ends."""

    code = "answer-delegated"


class DelegationRefused(Invalid):
    """The answer can't be handed to this person, or not until then."""

    code = "delegation-refused"


class NotApproved(Conflict):
    """Not everybody who must agree has agreed."""

    code = "not-approved"
