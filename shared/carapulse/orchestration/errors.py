"""What can go wrong between a state machine and us."""

from carapulse.kernel.errors import Invalid, NotFound


class MachineDeaf(NotFound):
    """The machine does not wait any more by this token: it was told already, ran out of time, or was stopped."""

    code = "machine-deaf"


class StepNotOfChange(Invalid):
    """The machine asks for a step that its change doesn't have."""

    code = "step-not-of-change"
