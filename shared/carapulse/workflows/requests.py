"""What is asked of workflows."""

from pydantic import Field

from carapulse.kernel.context import Context
from carapulse.kernel.names import Line
from carapulse.kernel.record import Record
from carapulse.plans.constraints import Constraints
from carapulse.plans.requests import Text, VersionNumber
from carapulse.tools.model import JsonObject


class StartWorkflow(Record):
    """Ask for a plan made by a workflow. Without a summary the recipe writes one."""

    context: Context
    input: JsonObject = Field(default_factory=dict)
    version: VersionNumber | None = Field(default=None, strict=True, description="null: the one that is started now")
    summary: Line | None = None
    intent: Text | None = None
    constraints: Constraints = Constraints()
