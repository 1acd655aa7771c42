"""What policy can refuse with. Facts carry the decision's id and reasons."""

from carapulse.kernel.errors import Denied, Invalid, Unavailable


class PolicyDenied(Denied):
    """Policy said no; another actor, plan, place or time is needed."""

    code = "policy-denied"


class ApprovalRequired(Denied):
    """Policy says that more people must agree first."""

    code = "approval-required"


class PolicyUnavailable(Unavailable):
    """Policy could not be asked, so the answer is no for now."""

    code = "policy-unavailable"


class UnsoundPolicy(Invalid):
    """The policy cannot be trusted to decide: it does not load, calls what it may not, or fails its own test."""

    code = "unsound-policy"
