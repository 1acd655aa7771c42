"""What a tenant's recipe makes of its own examples: each must make a plan, or the recipe is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from carapulse.kernel.call import Call
from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault, Invalid
from carapulse.plans.checking import known, unknown
from carapulse.plans.drafting import Draft, draft
from carapulse.plans.ports import Actions
from carapulse.plans.requests import CreatePlan, WorkflowRequest
from carapulse.tools.model import JsonObject
from carapulse.workflows.errors import RecipeInvalid
from carapulse.workflows.model import OwnVersion, RecipeStep
from carapulse.workflows.ready import Ready
from carapulse.workflows.soundness import recipe_faults

_NAME = "example"
_OTHERS = set(Context.model_fields) - {"environment"}
_PLACES = (Context(environment=_NAME), Context(environment=_NAME, **dict.fromkeys(_OTHERS, _NAME)))


@dataclass(frozen=True, slots=True)
class Trial:
    """Whoever wants a recipe to be kept, when, and the actions there are."""

    call: Call
    catalogue: Actions
    at: datetime

    def check(self, own: OwnVersion) -> None:
        """Return if a version is sound and each of its examples makes a plan, or raise RecipeInvalid."""
        recipe = own.recipe
        faults = [*recipe_faults(recipe)]
        for number, step in enumerate(recipe.steps):
            faults += self._use_faults(step, f"/steps/{number}")
        if not faults:
            ready = Ready.of(own)
            for number, example in enumerate(recipe.examples):
                faults += self._example_faults(ready, example, f"/examples/{number}")
        if faults:
            raise RecipeInvalid("the recipe can't be trusted", faults=tuple(faults))

    def _use_faults(self, step: RecipeStep, pointer: str) -> Iterator[Fault]:
        """Yield why a tool and an action that are written out can't be."""
        tool, action = step.tool, step.action
        if isinstance(tool, str) and isinstance(action, str) and known(self.catalogue, tool, action) is None:
            yield unknown(self.catalogue, tool, action, pointer)

    def _example_faults(self, ready: Ready, example: JsonObject, pointer: str) -> list[Fault]:
        """Return why an example makes no plan, neither in a place that is barely named nor in one that is fully."""
        found = [self._faults(ready, example, place) for place in _PLACES]
        if not all(found):
            return []
        return [each.model_copy(update={"pointer": pointer}) for each in found[-1]]

    def _faults(self, ready: Ready, example: JsonObject, place: Context) -> tuple[Fault, ...]:
        try:
            expanded = ready.expand(example, place)
            request = CreatePlan(
                summary=ready.summary(example, place),
                context=place,
                workflow=WorkflowRequest(name=ready.recipe.name, input=example),
            )
            draft(Draft(plan_id=_NAME, request=request, expanded=expanded), self.call, self.catalogue, self.at)
        except Invalid as problem:
            return problem.faults or (Fault(pointer="", code=problem.code, detail=problem.detail),)
        return ()
