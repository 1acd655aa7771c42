"""What can go wrong between a state machine and us."""

from carapulse.kernel.errors import NotFound


class MachineDeaf(NotFound):
    """The machine does not wait any more by this token: it was told already, ran out of time, or was stopped."""

    code = "machine-deaf"
