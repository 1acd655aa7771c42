"""A recipe: inputs, and steps with references to them. Pure data."""

from typing import Annotated

from pydantic import Field, StringConstraints

from carapulse.kernel.record import Record
from carapulse.plans.steps import Stage, StepId
from carapulse.tools.manifest import Expression, Sentence, Template
from carapulse.tools.model import JsonObject

WorkflowName = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]


class RecipeStep(Record):
    """One step, filled from `input` and `context`. Without a true `when` it is left out, and nothing waits for it."""

    id: StepId
    when: Expression | None = None
    name: Template = None
    stage: Stage
    tool: Template
    action: Template
    input: Template = Field(default_factory=dict)
    depends_on: tuple[StepId, ...] = ()
    expect: Template = Field(default_factory=list)
    undo: Template = None
    retry: Template = None


class Recipe(Record):
    """One workflow. Its examples are the least and the most that can be given to it."""

    name: WorkflowName
    version: int = Field(ge=1)
    description: Sentence
    summary: Template
    input: JsonObject
    examples: tuple[JsonObject, ...] = Field(min_length=2)
    steps: tuple[RecipeStep, ...] = Field(min_length=1)


class Workflow(Record):
    """A recipe as it is shown: what it does, what it needs, and its steps as they are written."""

    name: str
    version: int
    digest: str
    description: str
    input_schema: JsonObject
    examples: tuple[JsonObject, ...]
    steps: tuple[RecipeStep, ...]
