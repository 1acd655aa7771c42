"""Looking at one use of an action without carrying anything out: what is wrong with it, and what it would be.

No program is started, nothing is sent, and no secret is read: where one would stand, it says so.
"""

from typing import Any, Protocol, Self

from pydantic import Field

from carapulse.kernel.call import Call
from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault, Problem
from carapulse.kernel.record import Record
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.connections import Connections
from carapulse.tools.errors import NoSuchTool, UndoUnknown
from carapulse.tools.expressions import holds
from carapulse.tools.manifest import Action
from carapulse.tools.model import Effect, Invocation, JsonObject, Reversibility, Risk
from carapulse.tools.rendering import Rendered, rendered


class ValidateAction(Record):
    """An input for an action, and where it would be used. Without a place there is nobody to render it for."""

    input: JsonObject = Field(default_factory=dict)
    context: Context | None = None


class Why(Record):
    """Why something can't be said: a stable code, and words."""

    code: str
    detail: str

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Return what a problem says."""
        return cls(code=problem.code, detail=problem.detail)


class WayBack(Record):
    """How the use would be undone. `captured_by`: what is read before, because the way back depends on it."""

    reversibility: Reversibility
    action: str | None
    captured_by: str | None
    input: JsonObject | None = Field(description="null while it depends on what is read before, or put out")


class Validation(Record):
    """What can be said about one use of an action before it is in any plan. What is wrong leaves the rest unsaid."""

    tool: str
    action: str
    digest: str = Field(description="of the tool's manifest")
    valid: bool
    faults: tuple[Fault, ...]
    effect: Effect
    idempotent: bool
    dry_run: bool
    risk: Risk | None
    risk_reasons: tuple[str, ...]
    targets: tuple[str, ...]
    unbounded: bool | None = Field(description="null where nobody can say yet")
    undo: WayBack
    rendered: Rendered | None
    not_rendered: Why | None


class HasConnections(Protocol):
    """The part of the toolbox that is looked at."""

    @property
    def connections(self) -> Connections:
        """Every connection there is."""
        ...


class ToolPorts(Protocol):
    """What looking at tools asks of the application."""

    @property
    def catalogue(self) -> Catalogue:
        """Every action there is."""
        ...

    @property
    def toolbox(self) -> HasConnections:
        """What would run them."""
        ...


def validate_action(tool: str, action: str, command: ValidateAction, call: Call, ports: ToolPorts) -> Validation:
    """Say what is wrong with one use of an action, and what it would be; nothing is run, and no secret is read."""
    catalogue = ports.catalogue
    if tool not in catalogue.manifests or action not in catalogue.manifests[tool].actions:
        raise NoSuchTool("there is no such action", tool=tool, action=action)
    found = catalogue.action(tool, action)
    faults = catalogue.faults(tool, action, command.input, "/input", command.context)
    facts = {} if faults else _said(tool, action, command, call, ports)
    return Validation(
        tool=tool,
        action=action,
        digest=catalogue.digest(tool),
        valid=not faults,
        faults=faults,
        effect=found.effect,
        idempotent=found.idempotent,
        dry_run=found.dry_run is not None,
        **{**_unsaid(found), **facts},
    )


def _unsaid(found: Action) -> dict[str, Any]:
    """Return what is told of an input that is wrong."""
    nothing: dict[str, Any] = {"risk": None, "risk_reasons": (), "targets": (), "unbounded": None, "rendered": None}
    why = Why(code="input-refused", detail="the input is wrong")
    return {**nothing, "undo": _way_back(found), "not_rendered": why}


def _said(tool: str, action: str, command: ValidateAction, call: Call, ports: ToolPorts) -> dict[str, Any]:
    catalogue, found = ports.catalogue, ports.catalogue.action(tool, action)
    rules = [rule for rule in found.risk_rules if holds(rule.when, {"input": command.input})]
    said: dict[str, Any] = {
        "risk": catalogue.risk(tool, action, command.input),
        "risk_reasons": tuple(rule.reason for rule in rules),
    }
    if command.context is None:
        why = Why(code="no-context", detail="name the context: whom it touches, and how, depends on the place")
        return {**said, "not_rendered": why}
    used = Invocation(tool=tool, action=action, input=command.input, context=command.context, tenant=call.tenant)
    targets = catalogue.targets(tool, action, command.input, command.context)
    back = _way_back(found, _undo_input(found, used, catalogue))
    said |= {"targets": targets.names, "unbounded": targets.unbounded, "undo": back}
    try:
        shown = rendered(used, catalogue, ports.toolbox.connections)
    except Problem as problem:
        return {**said, "not_rendered": Why.of(problem)}
    return {**said, "rendered": shown, "not_rendered": None}


def _way_back(found: Action, value: JsonObject | None = None) -> WayBack:
    return WayBack(
        reversibility=found.reversibility,
        action=found.undo.action if found.undo else None,
        captured_by=found.capture.action if found.capture else None,
        input=value,
    )


def _undo_input(found: Action, used: Invocation, catalogue: Catalogue) -> JsonObject | None:
    """Return the input of the way back, or None while it depends on what only a run gives."""
    if found.undo is None or found.capture is not None:
        return None
    try:
        back = catalogue.undo(used)
    except UndoUnknown:
        return None
    return back.input if back else None
