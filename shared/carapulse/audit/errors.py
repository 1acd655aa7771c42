"""What can go wrong with evidence."""

from carapulse.kernel.errors import Invalid, NotFound, Unavailable


class UnsafeKeyFile(Invalid):
    """The evidence key is where others can read it. Make a new key, and tell those who trust the old one."""

    code = "unsafe-key-file"


class NoSuchEvidence(NotFound):
    """No such plan for this tenant, or nothing has happened to it."""

    code = "no-such-evidence"


class EvidencePending(Unavailable):
    """Some events are not covered by a checkpoint yet, because older transactions are still open. Ask again."""

    code = "evidence-pending"
