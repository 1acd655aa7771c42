"""The catalogue of tools over HTTP."""

from fastapi import APIRouter

from carapulse.conditions import ThisTag
from carapulse.examples import shows
from carapulse.kernel.record import Record
from carapulse.routing import Ports, ThisCall, needs
from carapulse.tools.examples import VALIDATING
from carapulse.tools.model import JsonObject
from carapulse.tools.validating import ValidateAction, Validation, validate_action

router = APIRouter(tags=["tools"])


class ToolList(Record):
    """Every tool, with its actions: input schema, effect, risk, reversibility."""

    data: tuple[JsonObject, ...]


class ToolView(Record):
    """One tool, with its actions: input schema, effect, risk, reversibility."""

    tool: str
    description: str
    digest: str
    actions: tuple[JsonObject, ...]


@router.get("/v1/tools", dependencies=[needs("tool:read")])
def tools(_call: ThisCall, ports: Ports) -> ToolList:
    """Show the closed set of what can be done."""
    return ToolList(data=tuple(ports.catalogue.describe()))


@router.get("/v1/tools/{tool}", dependencies=[needs("tool:read")])
def one_tool(tool: str, tag: ThisTag, _call: ThisCall, ports: Ports) -> ToolView:
    """Show one tool, and what can be done with it."""
    return tag.on(ToolView.model_validate(ports.catalogue.described(tool)))


@router.post(
    "/v1/tools/{tool}/actions/{action}:validate", dependencies=[needs("tool:validate")], openapi_extra=shows(VALIDATING)
)
def validate(tool: str, action: str, command: ValidateAction, call: ThisCall, ports: Ports) -> Validation:
    """Say what is wrong with an input, and what it would be: risk, targets, way back, request. Nothing is run."""
    return validate_action(tool, action, command, call, ports)
