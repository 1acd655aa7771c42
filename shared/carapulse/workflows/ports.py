"""What workflows ask of the application."""

from typing import Protocol

from carapulse.kernel.context import Context
from carapulse.plans.ports import Expanded, PlanPorts
from carapulse.tools.model import JsonObject
from carapulse.workflows.model import Workflow


class Book(Protocol):
    """The closed set of workflows."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all workflows, in order."""
        ...

    def describe(self, name: str) -> Workflow:
        """Return what anyone may know of a workflow, or raise WorkflowNotFound."""
        ...

    def summary(self, name: str, value: JsonObject, context: Context) -> str:
        """Return in one line what the workflow would do."""
        ...

    def expand(self, name: str, value: JsonObject, context: Context) -> Expanded:
        """Return the steps for an input, or raise WorkflowNotFound or WorkflowInputInvalid."""
        ...


class WorkflowPorts(PlanPorts, Protocol):
    """Everything the workflows area asks of the application."""

    @property
    def workflows(self) -> Book:
        """The recipes."""
        ...
