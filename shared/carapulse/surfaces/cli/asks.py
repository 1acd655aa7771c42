"""carapulse plan create and revise: say what is to be done."""

from typing import Annotated, Any

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.options import (
    Environment,
    Inputs,
    Place,
    PlanId,
    context_of,
    pairs,
    read_document,
    read_object,
    said,
)
from carapulse.surfaces.cli.views.plans import plan_view

File = Annotated[str | None, said("The whole request as YAML or JSON; - is standard input.", "--file", "-f")]
Summary = Annotated[str | None, said("One line about the change.", "--summary")]
Intent = Annotated[str | None, said("Why, and what is hoped for.", "--intent")]
Workflow = Annotated[str | None, said("The recipe to follow.", "--workflow")]
Steps = Annotated[str | None, said("The steps as a YAML or JSON list in a file.", "--steps")]


@asking
def create(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    *,
    file: File = None,
    summary: Summary = None,
    intent: Intent = None,
    workflow: Workflow = None,
    inputs: Inputs = None,
    steps: Steps = None,
    environment: Environment = None,
    context: Place = None,
) -> None:
    """Ask for a change. What comes back is judged, and nothing is done yet. Options add to what the file says."""
    named = {"summary": summary, "intent": intent, "workflow": _recipe(workflow, inputs)}
    body = _request(file, {**named, "steps": read_document(steps) if steps else None}, context_of(environment, context))
    desk.show(desk.api.post("/v1/plans", body), plan_view)


@asking
def revise(  # noqa: PLR0913 - one parameter is one option
    desk: Desk,
    plan_id: PlanId,
    *,
    file: File = None,
    summary: Summary = None,
    intent: Intent = None,
    workflow: Workflow = None,
    inputs: Inputs = None,
    steps: Steps = None,
    environment: Environment = None,
    context: Place = None,
) -> None:
    """Make a further version of a plan. It is judged and answered anew; no earlier answer counts for it."""
    named = {"summary": summary, "intent": intent, "workflow": _recipe(workflow, inputs)}
    body = _request(file, {**named, "steps": read_document(steps) if steps else None}, context_of(environment, context))
    desk.show(desk.api.post(path_of("plans", plan_id, "versions"), body), plan_view)


def _recipe(workflow: str | None, inputs: list[str] | None) -> dict[str, Any] | None:
    if inputs and not workflow:
        raise Misused("--input is for a --workflow")
    return {"name": workflow, "input": pairs(inputs)} if workflow else None


def _request(file: str | None, named: dict[str, Any], where: dict[str, Any]) -> dict[str, Any]:
    """Return the request that a file and the options make together."""
    body = read_object(file) if file else {}
    given = body.get("context")
    context = (given if isinstance(given, dict) else {}) | where
    body |= {name: value for name, value in {**named, "context": context or None}.items() if value is not None}
    if not body:
        raise Misused("say what is to be done: --file, or --summary with --workflow or --steps")
    return body
