"""What can go wrong with an execution."""

from carapulse.kernel.errors import Conflict, Denied, NotFound, Unavailable


class ExecutionNotFound(NotFound):
    """No such execution for this tenant."""

    code = "execution-not-found"


class EventOutOfPlace(Conflict):
    """Somebody else has moved the execution on; a late worker may change nothing."""

    code = "event-out-of-place"


class ExecutionOver(Conflict):
    """The execution has its final status."""

    code = "execution-over"


class StepNotFound(NotFound):
    """The execution has no such step."""

    code = "step-not-found"


class StepNotAsked(Conflict):
    """Nobody asks a person about this step: the execution does not wait for one, or not because of it."""

    code = "step-not-asked"


class ExecutionNotOver(Conflict):
    """The execution is not over, and may still undo what it did by itself."""

    code = "execution-not-over"


class NothingToUndo(Conflict):
    """The execution left nothing that can be gone back on, or nothing tells whether that helped; `stays` says why."""

    code = "nothing-to-undo"


class AlreadyUndone(Conflict):
    """Another plan goes back on this execution, or has: again would overwrite what somebody changed since."""

    code = "already-undone"


class StepRefused(Denied):
    """What was approved no longer holds at the last moment."""

    code = "step-refused"


class GoesBack(Conflict):
    """The execution goes back on another: a cancel keeps what it has done, and to do it again takes a plan."""

    code = "goes-back"


class TargetLocked(Conflict):
    """Another execution is changing the same target."""

    code = "target-locked"


class StepInterrupted(Unavailable):
    """The program is to end; whoever gets the step's message next goes on with it."""

    code = "step-interrupted"


class StepBusy(Unavailable):
    """Another worker holds the lease, or this one's turn is over; whoever asks again finds it done, or goes on."""

    code = "step-busy"
