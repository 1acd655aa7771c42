"""A recipe: inputs, and steps with references to them. Pure data."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue, StringConstraints

from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.record import Record
from carapulse.plans.fanning import EACH
from carapulse.plans.steps import OutputRef, Stage, StepId
from carapulse.tools.manifest import Expression, Sentence, Template
from carapulse.tools.model import JsonObject
from carapulse.tools.templates import mistakes
from carapulse.workflows.errors import WorkflowVersionIsRetired

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


class RecipeTerms(Record):
    """What a workflow does, without the name and the number that tell it apart.

    Its examples are the least and the most that can be given to it.
    """

    description: Sentence
    summary: Template
    input: JsonObject
    examples: tuple[JsonObject, ...] = Field(min_length=2, max_length=20)
    steps: tuple[RecipeStep, ...] = Field(min_length=1, max_length=200)


class Recipe(RecipeTerms):
    """One workflow."""

    name: WorkflowName
    version: int = Field(ge=1)


class OwnVersion(Record):
    """A version of a workflow that a tenant made itself. It never changes; once retired, it is not started any more."""

    recipe: Recipe
    digest: str
    created_by: str
    created_at: AwareDatetime
    retired_at: AwareDatetime | None = None
    retired_by: str | None = None

    @classmethod
    def of(cls, terms: RecipeTerms, name: str, version: int, call: Call) -> Self:
        """Return a new version; whoever asks is its author."""
        recipe = Recipe(**dict(terms), name=name, version=version)
        sealed = digest(recipe.model_dump(mode="json"))
        return cls(recipe=recipe, digest=sealed, created_by=call.actor.id, created_at=call.at)

    def retired(self, call: Call) -> Self:
        """Return this version as retired, or raise WorkflowVersionIsRetired if it was already."""
        if self.retired_at is not None:
            raise WorkflowVersionIsRetired(
                "the version was retired already", name=self.recipe.name, version=self.recipe.version
            )
        return self.model_copy(update={"retired_at": call.at, "retired_by": call.actor.id})


class Workflow(Record):
    """A recipe as it is shown: what it does, what it needs, its steps as they are written, and whose it is."""

    name: str
    version: int
    origin: Literal["builtin", "tenant"] = Field(description="whether it comes with the program or was made here")
    digest: str
    description: str
    input_schema: JsonObject
    examples: tuple[JsonObject, ...]
    steps: tuple[RecipeStep, ...]
    created_by: str | None = None
    created_at: AwareDatetime | None = None
    retired_by: str | None = None
    retired_at: AwareDatetime | None = None
