"""The ways back from what a run did, as steps of a plan: from what was captured before and put out by it."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from carapulse.executions.attempts import invocation_of
from carapulse.executions.looking import Looked, input_of
from carapulse.executions.model import Effect, ExecutionState, StepState, StepStatus
from carapulse.executions.ordering import in_order
from carapulse.executions.ports import ExecutionPorts
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import canonical
from carapulse.kernel.errors import Problem
from carapulse.plans.model import PlanStep, PlanVersion
from carapulse.plans.requests import StepRequest
from carapulse.plans.steps import Retry, Stage
from carapulse.tools.catalogue import scope_of
from carapulse.tools.expectations import Comparison, Expectation
from carapulse.tools.judging import rules_of
from carapulse.tools.manifest import Use
from carapulse.tools.model import Invocation, Reversibility

_PATIENT = Retry(attempts=3, backoff_s=2)


@dataclass(frozen=True, slots=True)
class WaysBack:
    """What goes back, on which steps, what verifies that it helped, and what stays, with the reason."""

    steps: tuple[StepRequest, ...]
    checks: tuple[StepRequest, ...]
    undoes: dict[str, str]
    stays: dict[str, str]

    @property
    def verifiable(self) -> bool:
        """Whether there is anything to do, and anything that tells whether it helped."""
        return bool(self.steps and self.checks)


@dataclass(frozen=True, slots=True)
class _Back:
    """One step, how it was done, the way back from it, and what that is called in the new plan."""

    name: str
    step: PlanStep
    forward: Invocation
    undo: Invocation


@dataclass(frozen=True, slots=True)
class Former:
    """The run that is gone back on, and what other runs have gone back on already."""

    state: ExecutionState
    version: PlanVersion
    outputs: Mapping[str, Any]
    gone: AbstractSet[str]

    def is_there(self, place: StepState, again: AbstractSet[str]) -> bool:
        """Return whether a step's effect is there, or will be there again once `again` are targets of later ways back.

        What came before on the same target is then what has to be there in the end.
        """
        if place.is_left and place.facts.id not in self.gone:
            return True
        touched = place.facts.writes and place.run.effect is not Effect.NONE
        return touched and not again.isdisjoint(place.facts.targets)


def ways_back(former: Former, call: Call, ports: ExecutionPorts) -> WaysBack:
    """Return the way back from each step whose effect is there, the last first."""
    found: list[_Back] = []
    stays: dict[str, str] = {}
    again: set[str] = set()
    for place in reversed(in_order(former.state.steps)):
        step = former.version.step(place.facts.id)
        if step is None or _needs_none(step) or not former.is_there(place, again):
            continue
        if not place.is_known:
            stays[step.id] = "nobody knows whether it took effect"
            continue
        try:
            found.append(_way_back(f"undo-{len(found) + 1}", place, step, former, call, ports))
        except Problem as problem:
            stays[step.id] = problem.detail
        else:
            again.update(place.facts.targets)
    undoes = {back.name: back.step.id for back in found}
    return WaysBack(tuple(map(_act, found)), tuple(_checks(found, ports)), undoes, stays)


def verified(state: ExecutionState) -> frozenset[str]:
    """Return the steps of a run that were done, and whose verifications, those that depend on them, all held.

    One that depends on nothing, as somebody who revises a plan may have it, is about everything.
    """
    done = {step.facts.id for step in state.steps if step.run.status is StepStatus.SUCCEEDED}
    checks = [step.facts for step in state.steps if step.facts.stage is Stage.VERIFY]
    return frozenset(done.difference(*(check.depends_on or done for check in checks if check.id not in done)))


def _way_back(name: str, place: StepState, step: PlanStep, former: Former, call: Call, ports: ExecutionPorts) -> _Back:
    version, outputs = former.version, former.outputs
    looked = Looked(input_of(step, outputs, version, ports), place.captured, outputs.get(step.id))
    forward = invocation_of(version, step, "run", looked, ports, call)
    return _Back(name, step, forward, invocation_of(version, step, "undo", looked, ports, call))


def _needs_none(step: PlanStep) -> bool:
    return step.undo is None and step.reversibility is Reversibility.NONE_NEEDED


def _act(back: _Back) -> StepRequest:
    undo = back.undo
    return StepRequest(
        id=back.name,
        name=f"Undo {back.step.id}",
        stage=Stage.ACT,
        tool=undo.tool,
        action=undo.action,
        input=undo.input,
    )


def _checks(found: list[_Back], ports: ExecutionPorts) -> Iterator[StepRequest]:
    """Yield what is read again, depending on what it verifies.

    Of steps that changed the same thing, what was there before the first counts.
    """
    asked: dict[bytes, StepRequest] = {}
    for back in found:
        check = _check(back, ports)
        if check is not None:
            key = canonical([check.tool, check.action, check.input])
            others = asked[key].depends_on if key in asked else ()
            asked[key] = check.model_copy(update={"depends_on": (*others, back.name)})
    yield from asked.values()


def _check(back: _Back, ports: ExecutionPorts) -> StepRequest | None:
    """Return what tells that it is as it was: the capture's read again, or else the probe of the way back."""
    forward, undo = back.forward, back.undo
    capture = ports.catalogue.action(forward.tool, forward.action).capture
    if capture is not None and forward.captured is not None:
        as_before = Expectation(path="@", op=Comparison.EQ, value=forward.captured)
        return _verify(back, forward, capture, (as_before,), ports)
    probe = ports.catalogue.action(undo.tool, undo.action).probe
    if probe is None or not (rules := rules_of(probe.applied, scope_of(undo))):
        return None
    return _verify(back, undo, probe, tuple(rules), ports)


def _verify(
    back: _Back, used: Invocation, use: Use, expect: tuple[Expectation, ...], ports: ExecutionPorts
) -> StepRequest:
    return StepRequest(
        name=f"{back.step.id} is as it was",
        stage=Stage.VERIFY,
        tool=used.tool,
        action=use.action,
        input=ports.catalogue.used(used.tool, use, scope_of(used)),
        expect=expect,
        retry=_PATIENT,
    )
