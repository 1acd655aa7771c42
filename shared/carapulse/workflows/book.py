"""The book of recipes that come with the program: read once, checked, and turned into steps on demand."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from carapulse.kernel.canonical import digest
from carapulse.kernel.context import Context
from carapulse.plans.ports import Expanded
from carapulse.tools.loading import parsed, read_document
from carapulse.tools.model import JsonObject
from carapulse.tools.schemas import InputSchema
from carapulse.workflows.errors import RecipeInvalid, WorkflowNotFound
from carapulse.workflows.model import Recipe, Workflow
from carapulse.workflows.ready import Ready
from carapulse.workflows.soundness import recipe_faults

_RECIPES = Path(__file__).parent / "recipes"


def builtin_recipes() -> tuple[Path, ...]:
    """Return the file of every recipe that comes with the program."""
    return tuple(sorted(_RECIPES.glob("*.yaml")))


@dataclass(frozen=True, slots=True)
class Workflows:
    """A closed set of workflows."""

    made: dict[str, Ready]

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Self:
        """Return the workflows of these files, or raise RecipeInvalid with every fault of the first faulty one."""
        made: dict[str, Ready] = {}
        for path in paths:
            document = read_document(path, RecipeInvalid)
            recipe, faults = parsed(Recipe, document)
            if recipe is None or (faults := tuple(recipe_faults(recipe))):
                raise RecipeInvalid("the recipe can't be trusted", faults=faults, file=path.name)
            if recipe.name in made:
                raise RecipeInvalid("another recipe has this name", file=path.name, name=recipe.name)
            made[recipe.name] = Ready(recipe, digest(document), InputSchema(recipe.input))
        return cls(made)

    def names(self) -> tuple[str, ...]:
        """Return the names of all workflows, in order."""
        return tuple(sorted(self.made))

    def find(self, name: str) -> Ready | None:
        """Return the recipe of that name, or None."""
        return self.made.get(name)

    def describe(self, name: str) -> Workflow:
        """Return what anyone may know of a workflow, or raise WorkflowNotFound."""
        return self._recipe(name).shown()

    def summary(self, name: str, value: JsonObject, context: Context) -> str:
        """Return in one line what the workflow would do; the input must have been accepted."""
        return self._recipe(name).summary(value, context)

    def expand(self, name: str, value: JsonObject, context: Context) -> Expanded:
        """Return the steps for an input, or raise WorkflowNotFound or WorkflowInputInvalid."""
        return self._recipe(name).expand(value, context)

    def _recipe(self, name: str) -> Ready:
        found = self.find(name)
        if found is None:
            raise WorkflowNotFound("there is no such workflow", name=name)
        return found
