"""What a manifest must also hold beyond its shape, so that every action can be judged, run, undone and explained."""

from collections.abc import Iterator
from typing import Any

from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import escaped
from carapulse.tools.expressions import first_fields
from carapulse.tools.manifest import Action, Argument, HttpRun, Manifest, ProgramRun, Segment, Use
from carapulse.tools.model import WAIT, Effect, Reversibility, Risk
from carapulse.tools.schemas import InputSchema, shortcomings
from carapulse.tools.templates import NAMES, expressions


def manifest_faults(manifest: Manifest) -> Iterator[Fault]:
    """Yield every reason not to trust a manifest."""
    if manifest.tool == WAIT:
        yield Fault(pointer="/tool", code="reserved", detail="a plan's step that only waits is called so")
    for name, action in manifest.actions.items():
        place = f"/actions/{escaped(name)}"
        yield from shortcomings(action.input_schema, f"{place}/input")
        yield from _effect_faults(action, place)
        yield from _resolution_faults(action, place)
        yield from _example_faults(action, place)
        yield from _reference_faults(action, place)
        yield from _use_faults(manifest, action, place)


def _effect_faults(action: Action, place: str) -> Iterator[Fault]:
    risks = [action.risk, *(rule.risk for rule in action.risk_rules)]
    reads = action.effect is Effect.READ
    if reads and (max(risks) is not Risk.READ or action.reversibility is not Reversibility.NONE_NEEDED):
        yield Fault(pointer=f"{place}/risk", code="read-only", detail="a read has risk read and nothing to reverse")
    if not reads and min(risks) is Risk.READ:
        yield Fault(pointer=f"{place}/risk", code="too-low", detail="a write has at least low risk")
    if action.effect is Effect.DESTRUCTIVE and action.risk < Risk.MEDIUM:
        yield Fault(pointer=f"{place}/risk", code="too-low", detail="what destroys has at least medium risk")
    if reads and (action.undo or action.capture or action.probe or action.dry_run):
        yield Fault(pointer=f"{place}/effect", code="read-only", detail="a read has no undo, capture, probe or dry run")
    if not reads and action.poll:
        yield Fault(pointer=f"{place}/poll", code="repeat", detail="only a read is asked again and again")


def _resolution_faults(action: Action, place: str) -> Iterator[Fault]:
    if action.effect is Effect.READ:
        return
    ways = [action.idempotent, action.probe is not None, action.person_resolves]
    if not any(ways) or (action.person_resolves and any(ways[:2])):
        detail = "after a crash a write is repeated (idempotent), probed (probe) or given to a person (person_resolves)"
        yield Fault(pointer=place, code="no-resolution", detail=detail)
    if action.reversibility is Reversibility.NONE_NEEDED:
        return
    if (action.undo is None) is not (action.reversibility is Reversibility.IRREVERSIBLE):
        detail = "reversible and compensable writes have an undo; irreversible ones have none"
        yield Fault(pointer=f"{place}/reversibility", code="undo", detail=detail)


def _example_faults(action: Action, place: str) -> Iterator[Fault]:
    try:
        yield from InputSchema(action.input_schema).faults(action.example, f"{place}/example")
    except ValueError as error:
        yield Fault(pointer=f"{place}/input", code="schema", detail=str(error))


def _use_faults(manifest: Manifest, action: Action, place: str) -> Iterator[Fault]:
    otherwise = action.undo.otherwise if action.undo else None
    uses = (("capture", action.capture), ("undo", action.undo), ("undo", otherwise), ("probe", action.probe))
    for word, use in uses:
        if use is None:
            continue
        used = manifest.actions.get(use.action)
        if used is None:
            yield Fault(pointer=f"{place}/{word}/action", code="unknown-action", detail="no such action in this tool")
        elif (used.effect is Effect.READ) is (word == "undo"):
            yield Fault(pointer=f"{place}/{word}/action", code="effect", detail="an undo writes; the others only read")
        else:
            yield from _fit_faults(used, use, f"{place}/{word}/input")


def _fit_faults(used: Action, use: Use, place: str) -> Iterator[Fault]:
    known = used.input_schema.get("properties", {})
    required = used.input_schema.get("required", [])
    if not isinstance(known, dict) or not isinstance(required, list):
        return
    for name in use.input.keys() - known.keys():
        yield Fault(pointer=f"{place}/{escaped(name)}", code="unknown-field", detail="the action has no such input")
    for name in {str(each) for each in required} - use.input.keys():
        yield Fault(pointer=f"{place}/{escaped(name)}", code="missing", detail="the action needs this input")


def _reference_faults(action: Action, place: str) -> Iterator[Fault]:
    properties = action.input_schema.get("properties")
    known = properties.keys() if isinstance(properties, dict) else set()
    for expression in _all_expressions(action):
        for path in filter(None, first_fields(expression)):
            if path[0] not in NAMES:
                yield Fault(pointer=place, code="reference", detail=f"{expression}: nothing is called {path[0]}")
            elif path[0] == "input" and len(path) > 1 and path[1] not in known:
                yield Fault(pointer=place, code="reference", detail=f"{expression}: no such input")


def _all_expressions(action: Action) -> Iterator[str]:
    for run in (action.run, action.dry_run):
        if run is not None:
            yield from _run_expressions(run)
    for use in (action.capture, action.undo, action.probe):
        yield from expressions(use.input if use else {})
    rules = [*action.success, *(action.poll.until + action.poll.stop if action.poll else ())]
    yield from expressions([rule.value for rule in rules])
    yield from (rule.when for rule in action.risk_rules)
    yield from (rule.when for rule in action.refuse)
    yield from (part for name in action.targets.names for part in name)
    yield from action.targets.unbounded
    if action.undo:
        yield from (each for each in (action.undo.when, action.undo.unless) if each)
        yield from expressions(action.undo.otherwise.input if action.undo.otherwise else {})


def _run_expressions(run: ProgramRun | HttpRun) -> Iterator[str]:
    if isinstance(run, ProgramRun):
        for item in run.argv:
            if isinstance(item, Argument):
                yield from ([item.from_] if item.from_ else [])
                yield from expressions(item.value)
        return
    if run.prior is not None:
        yield from _run_expressions(run.prior)
    segments: list[Any] = [run.method, run.url, *run.path]
    yield from (each.from_ for each in segments if isinstance(each, Segment))
    yield from expressions([run.query, run.headers, run.form, run.json_])
