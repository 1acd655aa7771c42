"""The catalogue: every action there is, and everything that can be said about a use of it before it runs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from carapulse.kernel.canonical import canonical, digest
from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault
from carapulse.tools.errors import InputRefused, NoSuchTool, UndoUnknown, UnknownAction
from carapulse.tools.expressions import holds
from carapulse.tools.loading import load_manifests
from carapulse.tools.manifest import Action, Manifest, Use
from carapulse.tools.model import Effect, Invocation, JsonObject, Mode, Risk, Targets
from carapulse.tools.redaction import REDACTED
from carapulse.tools.schemas import InputSchema, without_required
from carapulse.tools.targeting import targets_of
from carapulse.tools.templates import Scope, filled, no_secrets

_LARGEST_INPUT = 262_144
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The closed set of tools and actions. A name that is not in it does not exist."""

    manifests: dict[str, Manifest]
    digests: dict[str, str]
    schemas: dict[tuple[str, str], InputSchema]

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Self:
        """Return the catalogue of these manifest files, or raise ManifestInvalid with every fault."""
        loaded = load_manifests(paths)
        manifests = {tool: manifest for tool, (manifest, _) in loaded.items()}
        schemas = {
            (tool, name): InputSchema(action.input_schema)
            for tool, manifest in manifests.items()
            for name, action in manifest.actions.items()
        }
        return cls(manifests, {tool: digest(document) for tool, (_, document) in loaded.items()}, schemas)

    def action(self, tool: str, action: str) -> Action:
        """Return one action, or raise UnknownAction."""
        manifest = self.manifests.get(tool)
        if manifest is None or action not in manifest.actions:
            raise UnknownAction("there is no such action", tool=tool, action=action)
        return manifest.actions[action]

    def faults(
        self,
        tool: str,
        action: str,
        value: Any,  # noqa: ANN401 - any JSON value
        pointer: str = "",
        context: Context | None = None,
        *,
        later: frozenset[str] = _NOTHING,
    ) -> tuple[Fault, ...]:
        """Return what is wrong with an input. Refusals that depend on the place need the context.

        `later`: fields that are still to come, so that they are not missed.
        """
        found = self.action(tool, action)
        schema = InputSchema(without_required(found.input_schema, later)) if later else self.schemas[tool, action]
        faults = schema.faults(value, pointer)
        if faults:
            return faults
        if len(canonical(value)) > _LARGEST_INPUT:
            return (Fault(pointer=pointer, code="too-large", detail=f"more than {_LARGEST_INPUT} bytes"),)
        scope = {"input": value, "context": _place(context)}
        refused = (rule for rule in found.refuse if holds(rule.when, scope))
        return tuple(Fault(pointer=pointer, code="refused", detail=rule.reason) for rule in refused)

    def risk(self, tool: str, action: str, value: JsonObject) -> Risk:
        """Return the risk of one use: the action's own, raised by its rules, never lowered."""
        found = self.action(tool, action)
        return max([found.risk, *(rule.risk for rule in found.risk_rules if holds(rule.when, {"input": value}))])

    def targets(self, tool: str, action: str, value: JsonObject, context: Context) -> Targets:
        """Return whom one use touches. Reads touch nobody."""
        found = self.action(tool, action)
        if found.effect is Effect.READ:
            return Targets()
        return targets_of(tool, found.targets, Scope(input=value, context=_place(context)))

    def capture(self, invocation: Invocation) -> Invocation | None:
        """Return the read whose output undo will need, or None if it needs none."""
        if self.action(invocation.tool, invocation.action).capture is None:
            return None
        return invocation.model_copy(update={"mode": Mode.CAPTURE})

    def undo(self, invocation: Invocation, output: Any = None) -> Invocation | None:  # noqa: ANN401 - any JSON value
        """Return the way back from a use, given what was captured before and put out by it.

        None: there is nothing to undo, or no way (see the action's reversibility). UndoUnknown: there is a way, but
        what was captured does not say where it leads.
        """
        action = self.action(invocation.tool, invocation.action)
        undo, scope = action.undo, scope_of(invocation, output=output)
        if undo and action.capture and invocation.captured is None:
            raise UndoUnknown("nothing was captured before the change", action=invocation.action)
        if undo is None or (undo.unless and scope.find(undo.unless)):
            return None
        way: Use = undo
        if undo.when and undo.otherwise and not scope.find(undo.when):
            way = undo.otherwise
        value = self.used(invocation.tool, way, scope)
        faults = self.faults(invocation.tool, way.action, value, context=invocation.context)
        if faults or REDACTED in str(value):
            raise UndoUnknown("what was captured does not say how to go back", faults=faults, action=invocation.action)
        return invocation.model_copy(update={"action": way.action, "input": value, "mode": Mode.RUN, "captured": None})

    def used(self, tool: str, use: Use, scope: Scope) -> JsonObject:
        """Return the input for an action that another one uses."""
        value: JsonObject = filled(use.input, scope)
        self.action(tool, use.action)
        return value

    def checked(self, invocation: Invocation) -> Action:
        """Return the action of an invocation whose input is right, or raise InputRefused."""
        found = self.action(invocation.tool, invocation.action)
        faults = self.faults(invocation.tool, invocation.action, invocation.input, "/input", invocation.context)
        if faults:
            raise InputRefused("the input is not allowed", faults=faults, action=invocation.action)
        return found

    def digest(self, tool: str) -> str:
        """Return the digest of a tool's manifest, to which plans are bound."""
        if tool not in self.digests:
            raise UnknownAction("there is no such tool", tool=tool)
        return self.digests[tool]

    def described(self, tool: str) -> JsonObject:
        """Return what anyone may know of one tool, or raise NoSuchTool."""
        if tool not in self.manifests:
            raise NoSuchTool("there is no such tool", tool=tool)
        return self._described(self.manifests[tool])

    def describe(self) -> list[JsonObject]:
        """Return what anyone may know of every tool, in the order of names."""
        return [self._described(self.manifests[tool]) for tool in sorted(self.manifests)]

    def _described(self, manifest: Manifest) -> JsonObject:
        actions: list[Any] = [
            {
                "name": name,
                "description": action.description,
                "effect": action.effect,
                "risk": action.risk,
                "reversibility": action.reversibility,
                "idempotent": action.idempotent,
                "dry_run": action.dry_run is not None,
                "input_schema": self.schemas[manifest.tool, name].schema,
                "example": action.example,
            }
            for name, action in sorted(manifest.actions.items())
        ]
        return {
            "tool": manifest.tool,
            "description": manifest.description,
            "digest": self.digests[manifest.tool],
            "actions": actions,
        }


def _place(context: Context | None) -> JsonObject:
    return context.model_dump(mode="json") if context else {}


def scope_of(
    invocation: Invocation,
    output: Any = None,  # noqa: ANN401 - any JSON value
    connection: Any = None,  # noqa: ANN401 - any JSON value
    secret: Callable[[JsonObject], str] = no_secrets,
) -> Scope:
    """Return what the templates of an invocation may refer to."""
    return Scope(
        input=invocation.input,
        context=_place(invocation.context),
        tenant=invocation.tenant,
        connection=connection or {},
        captured=invocation.captured,
        output=output,
        secret=secret,
    )
