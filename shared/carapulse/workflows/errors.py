"""What can go wrong with a workflow."""

from carapulse.kernel.errors import Invalid, NotFound


class WorkflowNotFound(NotFound):
    """There is no workflow of this name."""

    code = "workflow-not-found"


class WorkflowInputInvalid(Invalid):
    """The input is not what the workflow needs; each fault says where."""

    code = "workflow-input-invalid"


class RecipeInvalid(Invalid):
    """A recipe can't be trusted as it stands; each fault says where."""

    code = "recipe-invalid"
