"""What a step wants to know of the steps before it: whether to run at all, and parts of its input."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import escaped
from carapulse.plans.fanning import members_of
from carapulse.plans.order import Order
from carapulse.plans.ports import Actions
from carapulse.plans.requests import StepRequest
from carapulse.plans.scope import SCOPE
from carapulse.tools.expressions import first_fields
from carapulse.tools.manifest import Action, HttpRun
from carapulse.tools.templates import expressions

_STEPS = "steps"


@dataclass(frozen=True, slots=True)
class References:
    """Every reference of the steps of one request."""

    order: Order

    def faults(self) -> Iterator[Fault]:
        """Yield the references to what is not known when it is needed."""
        for number, step in enumerate(self.order.steps):
            if step.when is not None:
                yield from self._condition_faults(step.when, number)
            for name, reference in step.input_from.items():
                yield from self._source_faults(reference.step, number, f"/steps/{number}/input_from/{escaped(name)}")

    def _condition_faults(self, when: str, number: int) -> Iterator[Fault]:
        pointer = f"/steps/{number}/when"
        try:
            paths = first_fields(when)
        except ValueError as error:
            yield Fault(pointer=pointer, code="bad-condition", detail=str(error))
            return
        for path in sorted(paths):
            if len(path) == 1 or path[:1] != (_STEPS,):
                detail = f"a condition reads {_STEPS}.ID of a step, not {'.'.join(path) or 'everything'}"
                yield Fault(pointer=pointer, code="unknown-reference", detail=detail)
            else:
                yield from self._faults_of(path[1], number, pointer)

    def _source_faults(self, name: str, number: int, pointer: str) -> Iterator[Fault]:
        unknown = tuple(self._faults_of(name, number, f"{pointer}/step"))
        yield from unknown
        if unknown:
            return
        source = self.order.steps[self.order.meant[name]]
        if source.for_each is not None:
            detail = f"{name} is one of several steps that are made of one; none of them is a source"
            yield Fault(pointer=f"{pointer}/step", code="group-reference", detail=detail)
        elif source.pauses:
            yield Fault(
                pointer=f"{pointer}/step", code="unknown-reference", detail=f"{name} only waits; it says nothing"
            )

    def _faults_of(self, name: str, number: int, pointer: str) -> Iterator[Fault]:
        known = self.order.meant.get(name)
        if known is None or known not in self.order.before(number):
            detail = f"{name} is no step of an earlier stage, and none that this one depends on"
            yield Fault(pointer=pointer, code="unknown-reference", detail=detail)
        elif name not in members_of(self.order.ids[known], self.order.steps[known]):
            detail = f"{name} stands for several steps; {name}-1 is the first of them"
            yield Fault(pointer=pointer, code="group-reference", detail=detail)


def output_faults(step: StepRequest, use: tuple[str, str], catalogue: Actions, pointer: str) -> Iterator[Fault]:
    """Yield the fields that no output may fill: those given anyway, unknown ones, and those that say the target."""
    action = catalogue.action(*use)
    known = action.input_schema.get("properties")
    for name in step.input_from:
        where = f"{pointer}/input_from/{escaped(name)}"
        if name in step.input:
            yield Fault(pointer=where, code="given-twice", detail="input gives this field, too")
        if not isinstance(known, dict) or name not in known:
            yield Fault(pointer=where, code="unknown-field", detail="there is no such field")
        elif _decides(name, action) or _decides_back(name, use[0], action, catalogue):
            detail = "this says whom the step touches, or how dangerous it is, and people agree to that beforehand"
            yield Fault(pointer=where, code="output-as-target", detail=detail)


def _decides(name: str, action: Action) -> bool:
    """Say whether a field is one that targets, risk, refusals or the plan's context are held against, or an address."""
    rules = [*(rule.when for rule in action.risk_rules), *(rule.when for rule in action.refuse)]
    parts = (part for names in action.targets.names for part in names)
    return name in SCOPE or _reads((*rules, *parts, *action.targets.unbounded, *_addresses(action)), name)


def _addresses(action: Action) -> Iterator[str]:
    """Yield what says which address is asked, for actions that ask any. Reads have no targets, but one of these."""
    for run in (action.run, action.dry_run):
        if isinstance(run, HttpRun) and run.url is not None:
            yield run.url.from_


def _decides_back(name: str, tool: str, action: Action, catalogue: Actions) -> bool:
    """Say whether the action's own way back would get such a field of its own from this one."""
    uses = (use for use in (action.undo, action.undo and action.undo.otherwise) if use is not None)
    return any(
        _decides(field, catalogue.action(tool, use.action)) and _reads(expressions(template), name)
        for use in uses
        for field, template in use.input.items()
    )


def _reads(of: Iterable[str], name: str) -> bool:
    """Say whether any expression reads a field of the input, or all of it."""
    return any(path in {(), ("input",), ("input", name)} for expression in of for path in first_fields(expression))
