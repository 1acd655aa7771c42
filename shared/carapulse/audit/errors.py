"""What can go wrong with evidence."""

from carapulse.kernel.errors import NotFound, Unavailable


class NoSuchEvidence(NotFound):
    """No such plan for this tenant, or nothing has happened to it."""

    code = "no-such-evidence"


class EvidencePending(Unavailable):
    """Some events are not covered by a checkpoint yet, because older transactions are still open. Ask again."""

    code = "evidence-pending"


class NoSuchCheckpoint(NotFound):
    """No checkpoint was made yet."""

    code = "no-such-checkpoint"


class ArchiveMissing(Unavailable):
    """The events left the log, and the blob that holds them is not where it must be. A backup of the blobs has it."""

    code = "archive-missing"
    retryable = False
