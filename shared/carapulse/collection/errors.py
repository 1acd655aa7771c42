"""What can go wrong with collectors, and with a run of one."""

from typing import ClassVar

from carapulse.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable


class CollectorNotFound(NotFound):
    """No collector of that name for this tenant."""

    code = "collector-not-found"


class CollectorInvalid(Invalid):
    """A collector of these terms could never run; each fault says where."""

    code = "collector-invalid"


class CollectorDisabled(Conflict):
    """The collector is switched off, so it can't be asked to run."""

    code = "collector-disabled"


class CollectorTaken(Conflict):
    """Somebody else made a collector of this name at the same moment."""

    code = "collector-taken"


class DefinitionInvalid(Invalid):
    """A collector.yaml can't be trusted as it stands; each fault says where."""

    code = "collector-definition-invalid"


class CollectorBusy(Unavailable):
    """Another worker is at this collector; the same may be asked again."""

    code = "collector-busy"


class CollectionInterrupted(Unavailable):
    """The program is to end, so somebody else has to begin the run anew."""

    code = "collection-interrupted"


class ReadFailed(Unavailable):
    """The system did not answer what was asked, or answered that it can't."""

    code = "collection-read-failed"
    retryable: ClassVar[bool] = False


class ReadDenied(Denied):
    """Policy does not let this be read; the reasons are its own."""

    code = "collection-read-denied"


class ReadNotWhole(Unavailable):
    """The system has more than it told, so what it told is not all that there is."""

    code = "collection-read-not-whole"
    retryable: ClassVar[bool] = False


class AnswerUnusable(Unavailable):
    """What the system told can't be made into nodes and edges."""

    code = "collection-answer-unusable"
    retryable: ClassVar[bool] = False


class CollectionTooLarge(Conflict):
    """The system has more than a collector may report."""

    code = "collection-too-large"


class CollectionTooLong(Unavailable):
    """The run was not done in the time that one may take."""

    code = "collection-too-long"
    retryable: ClassVar[bool] = False
