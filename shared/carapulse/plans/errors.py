"""What can go wrong with a plan."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound


class PlanInvalid(Invalid):
    """The plan can't be drafted as it was asked for; each fault says where."""

    code = "plan-invalid"


class PlanNotFound(NotFound):
    """No such plan for this tenant."""

    code = "plan-not-found"


class VersionNotFound(NotFound):
    """The plan has no such version."""

    code = "plan-version-not-found"


class PlanChanged(Conflict):
    """The plan differs from the one that was judged."""

    code = "plan-changed"


class PlanNotOpen(Conflict):
    """The plan is not waiting for an answer, or not any more."""

    code = "plan-not-open"


class PlanNotApproved(Conflict):
    """The plan is not approved, or has already been used."""

    code = "plan-not-approved"


class PlanNotOver(Conflict):
    """The plan may still be answered or executed; only what is over can be put away."""

    code = "plan-not-over"


class PlanBusy(Conflict):
    """The plan is being executed."""

    code = "plan-busy"
