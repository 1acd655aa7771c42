"""What can go wrong with what is known."""

from carapulse.kernel.errors import Conflict, Denied, NotFound


class PlaybookNotFound(NotFound):
    """No such playbook for this tenant."""

    code = "playbook-not-found"


class RunbookNotFound(NotFound):
    """No such runbook for this tenant."""

    code = "runbook-not-found"


class DocumentVersionNotFound(NotFound):
    """The playbook or runbook has no such version."""

    code = "document-version-not-found"


class NameTaken(Conflict):
    """A playbook, or a runbook of the same service, has this name already; change that one, or choose another name."""

    code = "name-taken"


class MemoryNotFound(NotFound):
    """No such memory for this tenant."""

    code = "memory-not-found"


class NotYourMemory(Denied):
    """Only who keeps a memory, or an administrator, may change or forget it."""

    code = "not-your-memory"
