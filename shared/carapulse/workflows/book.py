"""The book of recipes: read once, checked, and turned into steps on demand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from carapulse.kernel.canonical import digest
from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault
from carapulse.plans.fanning import EACH, references
from carapulse.plans.ports import Expanded
from carapulse.plans.requests import StepRequest
from carapulse.tools.expressions import first_fields, holds
from carapulse.tools.loading import parsed, read_document
from carapulse.tools.model import JsonObject
from carapulse.tools.schemas import InputSchema, shortcomings
from carapulse.tools.templates import Scope, expressions, filled
from carapulse.workflows.errors import RecipeInvalid, WorkflowInputInvalid, WorkflowNotFound
from carapulse.workflows.model import KEPT, Recipe, RecipeStep, Workflow

_LONGEST_SUMMARY = 200
_TEMPLATES = (
    *("name", "tool", "action", "input", "expect", "undo", "retry"),
    *("wait", "deadline_s", "point_of_no_return", "for_each"),
)
_RECIPES = Path(__file__).parent / "recipes"


def builtin_recipes() -> tuple[Path, ...]:
    """Return the file of every recipe that comes with the program."""
    return tuple(sorted(_RECIPES.glob("*.yaml")))


@dataclass(frozen=True, slots=True)
class Workflows:
    """The closed set of workflows."""

    recipes: dict[str, Recipe]
    digests: dict[str, str]
    schemas: dict[str, InputSchema]

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Self:
        """Return the workflows of these files, or raise RecipeInvalid with every fault of the first faulty one."""
        recipes: dict[str, Recipe] = {}
        digests: dict[str, str] = {}
        for path in paths:
            document = read_document(path, RecipeInvalid)
            recipe, faults = parsed(Recipe, document)
            if recipe is None or (faults := tuple(_recipe_faults(recipe))):
                raise RecipeInvalid("the recipe can't be trusted", faults=faults, file=path.name)
            if recipe.name in recipes:
                raise RecipeInvalid("another recipe has this name", file=path.name, name=recipe.name)
            recipes[recipe.name], digests[recipe.name] = recipe, digest(document)
        return cls(recipes, digests, {name: InputSchema(recipe.input) for name, recipe in recipes.items()})

    def names(self) -> tuple[str, ...]:
        """Return the names of all workflows, in order."""
        return tuple(sorted(self.recipes))

    def describe(self, name: str) -> Workflow:
        """Return what anyone may know of a workflow, or raise WorkflowNotFound."""
        recipe = self._recipe(name)
        return Workflow(
            name=recipe.name,
            version=recipe.version,
            digest=self.digests[name],
            description=recipe.description,
            input_schema=self.schemas[name].schema,
            examples=recipe.examples,
            steps=recipe.steps,
        )

    def summary(self, name: str, value: JsonObject, context: Context) -> str:
        """Return in one line what the workflow would do; the input must have been accepted."""
        line = str(filled(self._recipe(name).summary, _scope(value, context)))
        return line if len(line) <= _LONGEST_SUMMARY else f"{line[: _LONGEST_SUMMARY - 1]}…"

    def expand(self, name: str, value: JsonObject, context: Context) -> Expanded:
        """Return the steps for an input, or raise WorkflowNotFound or WorkflowInputInvalid."""
        recipe = self._recipe(name)
        if faults := self.schemas[name].faults(value, "/workflow/input"):
            raise WorkflowInputInvalid("the input is not what the workflow needs", faults=faults, workflow=name)
        if faults := tuple(_directives(value)):
            raise WorkflowInputInvalid("the input is read as nothing but text", faults=faults, workflow=name)
        scope = _scope(value, context)
        chosen = [step for step in recipe.steps if step.when is None or holds(step.when, _places(scope))]
        kept = {step.id for step in chosen}
        steps = tuple(_request(step, kept, scope, name) for step in chosen)
        return Expanded(name=name, version=recipe.version, digest=self.digests[name], steps=steps)

    def _recipe(self, name: str) -> Recipe:
        if name not in self.recipes:
            raise WorkflowNotFound("there is no such workflow", name=name)
        return self.recipes[name]


def _request(step: RecipeStep, kept: set[str], scope: Scope, workflow: str) -> StepRequest:
    facts: dict[str, Any] = {name: filled(getattr(step, name), scope, KEPT) for name in _TEMPLATES}
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


def _recipe_faults(recipe: Recipe) -> Iterator[Fault]:
    yield from shortcomings(recipe.input, "/input")
    try:
        schema = InputSchema(recipe.input)
    except ValueError as error:
        yield Fault(pointer="/input", code="schema", detail=str(error))
        return
    for number, example in enumerate(recipe.examples):
        yield from schema.faults(example, f"/examples/{number}")
    properties = recipe.input.get("properties")
    known = set(properties) if isinstance(properties, dict) else set()
    ids = [step.id for step in recipe.steps]
    for number, step in enumerate(recipe.steps):
        yield from _step_faults(step, ids[:number], known, f"/steps/{number}")


def _step_faults(step: RecipeStep, earlier: list[str], known: set[str], pointer: str) -> Iterator[Fault]:
    if step.id in earlier:
        yield Fault(pointer=f"{pointer}/id", code="duplicate-id", detail=f"another step is called {step.id}")
    for other in step.depends_on:
        if other not in earlier:
            yield Fault(pointer=f"{pointer}/depends_on", code="unknown-dependency", detail=f"no step {other} before it")
    templates = [getattr(step, name) for name in _TEMPLATES]
    for expression in [*expressions(templates, KEPT), *([step.when] if step.when else [])]:
        for path in filter(None, first_fields(expression)):
            if path[0] not in {"input", "context"} or (path[0] == "input" and len(path) > 1 and path[1] not in known):
                yield Fault(
                    pointer=pointer, code="reference", detail=f"{expression}: nothing is called {'.'.join(path)}"
                )


def _directives(value: JsonObject) -> Iterator[Fault]:
    """Yield where an input would be taken for a part of the recipe."""
    for pointer, _ in references(value, "/workflow/input"):
        yield Fault(pointer=pointer, code="misplaced-each", detail=f"{EACH} has a meaning in recipes only")


def _scope(value: JsonObject, context: Context) -> Scope:
    return Scope(input=value, context=context.model_dump(mode="json"))


def _places(scope: Scope) -> dict[str, Any]:
    return {"input": scope.input, "context": scope.context}
