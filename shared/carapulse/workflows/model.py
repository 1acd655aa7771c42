"""A recipe: inputs, and steps with references to them. Pure data."""

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from carapulse.kernel.record import Record
from carapulse.plans.fanning import EACH
from carapulse.plans.steps import OutputRef, Stage, StepId
from carapulse.tools.manifest import Expression, Sentence, Template
from carapulse.tools.model import JsonObject
from carapulse.tools.templates import mistakes

WorkflowName = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]


KEPT = frozenset({EACH})  # filled when the plan is drafted, with each value of the step's own


def _template(value: JsonValue) -> JsonValue:
    for mistake in mistakes(value, KEPT):
        raise ValueError(mistake)
    return value


StepTemplate = Annotated[JsonValue, AfterValidator(_template)]


class RecipeStep(Record):
    """One step, filled from `input` and `context`. Without a true `when` it is left out, and nothing waits for it.

    `run_when` is decided when the step's turn comes, by what came of the steps before it.
    """

    id: StepId
    when: Expression | None = None
    name: Template = None
    stage: Stage
    tool: Template = None
    action: Template = None
    input: StepTemplate = Field(default_factory=dict)
    depends_on: tuple[StepId, ...] = ()
    expect: Template = Field(default_factory=list)
    undo: StepTemplate = None
    retry: Template = None
    run_when: Expression | None = None
    input_from: dict[str, OutputRef] = Field(default_factory=dict)
    wait: Template = None
    deadline_s: Template = None
    point_of_no_return: Template = None
    for_each: Template = None


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
