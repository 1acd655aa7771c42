"""The catalogue of tools over HTTP."""

from fastapi import APIRouter

from carapulse.kernel.record import Record
from carapulse.routing import Ports, ThisCall, needs
from carapulse.tools.model import JsonObject

router = APIRouter(tags=["tools"])


class ToolList(Record):
    """Every tool, with its actions: input schema, effect, risk, reversibility."""

    data: tuple[JsonObject, ...]


@router.get("/v1/tools", dependencies=[needs("tool:read")])
def tools(_call: ThisCall, ports: Ports) -> ToolList:
    """Show the closed set of what can be done."""
    return ToolList(data=tuple(ports.catalogue.describe()))
