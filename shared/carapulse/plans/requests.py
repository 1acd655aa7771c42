"""What is asked for, before it is known to be possible."""

from typing import Annotated, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from carapulse.kernel.context import Context
from carapulse.kernel.names import Line
from carapulse.kernel.record import Record
from carapulse.kernel.spelling import WHOLE
from carapulse.plans.constraints import Constraints
from carapulse.plans.model import Trigger
from carapulse.plans.steps import Group, OutputRef, Retry, Stage, StepId, Undo, Wait
from carapulse.tools.expectations import Expectation
from carapulse.tools.model import JsonObject

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
ToolName = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
VersionNumber = Annotated[int, Field(ge=1, le=1_000_000)]
VersionInAddress = Annotated[VersionNumber, WHOLE]
PlanId = Annotated[str, StringConstraints(pattern=r"^plan_[0-9a-f]{32}$")]


class ForEach(Group):
    """Make one step for each value. `{"$each": PATH}` in its input is what the path finds in the value; `@` is all."""

    values: tuple[JsonValue, ...] = Field(min_length=1, max_length=100)


class StepRequest(Record):
    """One step as somebody wants it. Without `undo` the tool's own way back is taken, where it has one.

    A step that waits `until` a moment or `for_s` seconds has neither tool nor action; every other has both.
    """

    id: StepId | None = None
    name: Line | None = None
    stage: Stage
    tool: ToolName | None = None
    action: ToolName | None = None
    input: JsonObject = Field(default_factory=dict)
    depends_on: tuple[StepId, ...] = Field(default=(), max_length=200)
    expect: tuple[Expectation, ...] = Field(default=(), max_length=50)
    undo: Undo | None = None
    retry: Retry | None = Field(default=None, description="only for steps that read; others have their action's")
    when: Condition | None = Field(
        default=None, description="a JMESPath over `steps.<id>.status` and `.output` of steps that come before"
    )
    input_from: dict[str, OutputRef] = Field(default_factory=dict, max_length=50)
    wait: Wait | None = None
    deadline_s: float | None = Field(
        default=None, gt=0, le=604_800, strict=True, allow_inf_nan=False, description="seconds for all attempts"
    )
    point_of_no_return: bool = Field(default=False, strict=True, description="once it is done nobody means to go back")
    for_each: ForEach | None = None

    @property
    def pauses(self) -> bool:
        """Whether it only lets time pass, without any tool."""
        return self.wait is not None and self.wait.pauses

    @property
    def use(self) -> tuple[str, str] | None:
        """The tool and the action, where both are named."""
        return None if self.tool is None or self.action is None else (self.tool, self.action)


class WorkflowRequest(Record):
    """A recipe and what it is to be filled with."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[^\x00]*$")]
    input: JsonObject = Field(default_factory=dict)
    version: VersionNumber | None = Field(default=None, strict=True, description="null: the one that is started now")


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
    authors: tuple[str, ...] = Field(default=(), description="who wrote the schedule or the source that asks")
    plan_id: PlanId | None = Field(default=None, description="minted by a caller that repeats itself, to plan once")


class ClosePlan(Record):
    """Say that a plan is not wanted any more, and why."""

    reason: Line


class CancelPlan(Record):
    """Take a plan back that waits, and say why."""

    reason: Line
