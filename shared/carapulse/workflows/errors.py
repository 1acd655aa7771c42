"""What can go wrong with a workflow."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound


class WorkflowNotFound(NotFound):
    """There is no workflow of this name."""

    code = "workflow-not-found"


class WorkflowVersionNotFound(NotFound):
    """The workflow has no such version."""

    code = "workflow-version-not-found"


class WorkflowVersionIsRetired(Conflict):
    """The version was retired; it can be read and not be started."""

    code = "workflow-version-retired"


class WorkflowBuiltin(Conflict):
    """The version comes with the program, and stays as long as that does."""

    code = "workflow-builtin"


class WorkflowInUse(Conflict):
    """Schedules start this version, or would have none to start without it."""

    code = "workflow-in-use"


class WorkflowInputInvalid(Invalid):
    """The input is not what the workflow needs; each fault says where."""

    code = "workflow-input-invalid"


class RecipeInvalid(Invalid):
    """A recipe can't be trusted as it stands; each fault says where."""

    code = "recipe-invalid"
