"""What is asked for, before it is known to be possible."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from carapulse.kernel.context import Context
from carapulse.kernel.record import Record
from carapulse.plans.constraints import Constraints
from carapulse.plans.model import Trigger
from carapulse.plans.steps import Retry, Stage, StepId, Undo
from carapulse.tools.expectations import Expectation
from carapulse.tools.model import JsonObject

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
ToolName = Annotated[str, StringConstraints(min_length=1, max_length=63)]
PlanId = Annotated[str, StringConstraints(pattern=r"^plan_[0-9a-f]{32}$")]


class StepRequest(Record):
    """One step as somebody wants it. Without `undo` the tool's own way back is taken, where it has one."""

    id: StepId | None = None
    name: Line | None = None
    stage: Stage
    tool: ToolName
    action: ToolName
    input: JsonObject = Field(default_factory=dict)
    depends_on: tuple[StepId, ...] = Field(default=(), max_length=200)
    expect: tuple[Expectation, ...] = Field(default=(), max_length=50)
    undo: Undo | None = None
    retry: Retry | None = Field(default=None, description="only for steps that read; others have their action's")


class WorkflowRequest(Record):
    """A recipe and what it is to be filled with."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    input: JsonObject = Field(default_factory=dict)


class CreatePlan(Record):
    """Ask for a plan, either by steps or by a workflow."""

    summary: Line
    intent: Text | None = None
    trigger: Trigger = "manual"
    context: Context
    workflow: WorkflowRequest | None = None
    steps: tuple[StepRequest, ...] | None = None
    constraints: Constraints = Constraints()

    @model_validator(mode="after")
    def _says_what_to_do_once(self) -> Self:
        if (self.workflow is None) == (self.steps is None):
            raise ValueError("exactly one of workflow and steps is needed")
        return self


class Origin(Record):
    """Where a request comes from, as found out by us and never by the request itself."""

    trusted: bool = True
    meta: JsonObject = Field(default_factory=dict)
    plan_id: PlanId | None = Field(default=None, description="minted by a caller that repeats itself, to plan once")


class ClosePlan(Record):
    """Say that a plan is not wanted any more, and why."""

    reason: Line
