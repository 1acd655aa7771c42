"""One recipe, ready to be turned into steps on demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault
from carapulse.plans.fanning import EACH, references
from carapulse.plans.ports import Expanded
from carapulse.plans.requests import StepRequest
from carapulse.tools.expressions import holds
from carapulse.tools.loading import parsed
from carapulse.tools.model import JsonObject
from carapulse.tools.schemas import InputSchema
from carapulse.tools.templates import Scope, filled
from carapulse.workflows.errors import WorkflowInputInvalid
from carapulse.workflows.model import KEPT, OwnVersion, Recipe, RecipeStep, Workflow
from carapulse.workflows.soundness import TEMPLATES

_LONGEST_SUMMARY = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """A recipe that was found sound, with its schema compiled; `own` if a tenant made it."""

    recipe: Recipe
    digest: str
    schema: InputSchema
    own: OwnVersion | None = None

    @classmethod
    def of(cls, own: OwnVersion) -> Self:
        """Return a tenant's own version, ready to be used."""
        return cls(own.recipe, own.digest, InputSchema(own.recipe.input), own)

    def shown(self) -> Workflow:
        """Return what anyone may know of it."""
        own = self.own
        return Workflow(
            name=self.recipe.name,
            version=self.recipe.version,
            origin="builtin" if own is None else "tenant",
            digest=self.digest,
            description=self.recipe.description,
            input_schema=self.schema.schema,
            examples=self.recipe.examples,
            steps=self.recipe.steps,
            **({} if own is None else own.model_dump(include={"created_by", "created_at", "retired_by", "retired_at"})),
        )

    def summary(self, value: JsonObject, context: Context) -> str:
        """Return in one line what it would do, whatever its template comes to; the input must have been accepted."""
        said = filled(self.recipe.summary, _scope(value, context))
        text = "" if said is None else str(said)
        line = "".join(sign if sign.isprintable() else " " for sign in text).strip() or f"Start {self.recipe.name}"
        return line if len(line) <= _LONGEST_SUMMARY else f"{line[: _LONGEST_SUMMARY - 1]}…"

    def expand(self, value: JsonObject, context: Context) -> Expanded:
        """Return the steps for an input, or raise WorkflowInputInvalid."""
        recipe = self.recipe
        if faults := self.schema.faults(value, "/workflow/input"):
            raise WorkflowInputInvalid("the input is not what the workflow needs", faults=faults, workflow=recipe.name)
        if faults := tuple(_directives(value)):
            raise WorkflowInputInvalid("the input is read as nothing but text", faults=faults, workflow=recipe.name)
        scope = _scope(value, context)
        chosen = [step for step in recipe.steps if step.when is None or holds(step.when, _places(scope))]
        kept = {step.id for step in chosen}
        steps = tuple(_request(step, kept, scope, recipe.name) for step in chosen)
        return Expanded(name=recipe.name, version=recipe.version, digest=self.digest, steps=steps)


def _request(step: RecipeStep, kept: set[str], scope: Scope, workflow: str) -> StepRequest:
    facts: dict[str, Any] = {name: filled(getattr(step, name), scope, KEPT) for name in TEMPLATES}
    waits = [other for other in step.depends_on if other in kept]
    literal = {"id": step.id, "stage": step.stage, "when": step.run_when, "input_from": step.input_from}
    document = {**literal, "depends_on": waits, **facts}
    request, faults = parsed(StepRequest, {key: value for key, value in document.items() if value is not None})
    if request is None:
        told = tuple(
            Fault(pointer="/workflow/input", code=each.code, detail=f"step {step.id}: {each.pointer}: {each.detail}")
            for each in faults
        )
        raise WorkflowInputInvalid("the input makes a step that can't be", faults=told, workflow=workflow)
    return request


def _directives(value: JsonObject) -> Iterator[Fault]:
    """Yield where an input would be taken for a part of the recipe."""
    for pointer, _ in references(value, "/workflow/input"):
        yield Fault(pointer=pointer, code="misplaced-each", detail=f"{EACH} has a meaning in recipes only")


def _scope(value: JsonObject, context: Context) -> Scope:
    return Scope(input=value, context=context.model_dump(mode="json"))


def _places(scope: Scope) -> dict[str, Any]:
    return {"input": scope.input, "context": scope.context}
