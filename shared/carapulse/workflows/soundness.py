"""Whether a recipe can be valid at all, before anybody starts it."""

from collections.abc import Iterator
from typing import Any

from carapulse.kernel.errors import Fault
from carapulse.tools.expressions import first_fields
from carapulse.tools.schemas import InputSchema, shortcomings
from carapulse.tools.templates import expressions, is_directive
from carapulse.workflows.model import KEPT, Recipe, RecipeStep

TEMPLATES = (
    *("name", "tool", "action", "input", "expect", "undo", "retry"),
    *("wait", "deadline_s", "point_of_no_return", "for_each"),
)


def recipe_faults(recipe: Recipe) -> Iterator[Fault]:
    """Yield everything that is wrong with a recipe by itself."""
    try:
        schema = InputSchema(recipe.input)
    except ValueError as error:
        yield Fault(pointer="/input", code="schema", detail=str(error))
        return
    yield from shortcomings(recipe.input, "/input")
    for number, example in enumerate(recipe.examples):
        yield from schema.faults(example, f"/examples/{number}")
    properties = recipe.input.get("properties")
    known = set(properties) if isinstance(properties, dict) else set()
    ids = [step.id for step in recipe.steps]
    yield from _reference_faults([recipe.summary], known, "/summary")
    for number, step in enumerate(recipe.steps):
        yield from _step_faults(step, ids[:number], known, f"/steps/{number}")


def _step_faults(step: RecipeStep, earlier: list[str], known: set[str], pointer: str) -> Iterator[Fault]:
    if step.id in earlier:
        yield Fault(pointer=f"{pointer}/id", code="duplicate-id", detail=f"another step is called {step.id}")
    for other in step.depends_on:
        if other not in earlier:
            yield Fault(pointer=f"{pointer}/depends_on", code="unknown-dependency", detail=f"no step {other} before it")
    templates = [getattr(step, name) for name in TEMPLATES]
    yield from _reference_faults([*templates, *([{"$from": step.when}] if step.when else [])], known, pointer)


def _reference_faults(templates: list[Any], known: set[str], pointer: str) -> Iterator[Fault]:
    for words in _directives(templates):
        if words != {"$from"}:
            yield Fault(
                pointer=pointer, code="reference", detail=f"{', '.join(sorted(words))}: a recipe knows $from alone"
            )
    for expression in expressions(templates, KEPT):
        for path in filter(None, first_fields(expression)):
            if path[0] not in {"input", "context"} or (path[0] == "input" and len(path) > 1 and path[1] not in known):
                yield Fault(
                    pointer=pointer, code="reference", detail=f"{expression}: nothing is called {'.'.join(path)}"
                )


def _directives(template: Any) -> Iterator[set[str]]:  # noqa: ANN401 - any JSON value
    if is_directive(template, KEPT):
        yield set(template)
    elif isinstance(template, dict | list):
        for item in template.values() if isinstance(template, dict) else template:
            yield from _directives(item)
