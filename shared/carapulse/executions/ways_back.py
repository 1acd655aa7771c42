"""The ways back from what a run did, as steps of a plan: from what was captured before and put out by it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carapulse.executions.attempts import invocation_of
from carapulse.executions.lifecycle import in_order
from carapulse.executions.looking import Looked, input_of
from carapulse.executions.model import ExecutionState, StepState
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
    """What goes back, what verifies that it helped, and what stays, with the reason."""

    steps: tuple[StepRequest, ...]
    checks: tuple[StepRequest, ...]
    stays: dict[str, str]

    @property
    def verifiable(self) -> bool:
        """Whether there is anything to do, and anything that tells whether it helped."""
        return bool(self.steps and self.checks)


@dataclass(frozen=True, slots=True)
class _Back:
    """One step, how it was done, and the way back from it."""

    step: PlanStep
    forward: Invocation
    undo: Invocation


def ways_back(
    state: ExecutionState, version: PlanVersion, outputs: Mapping[str, Any], call: Call, ports: ExecutionPorts
) -> WaysBack:
    """Return the way back from each step whose effect is there, the last first."""
    found: list[_Back] = []
    stays: dict[str, str] = {}
    for place in reversed(in_order(state.steps)):
        step = version.step(place.facts.id)
        if step is None or not place.is_left or _needs_none(step):
            continue
        if not place.is_known:
            stays[step.id] = "nobody knows whether it took effect"
            continue
        try:
            found.append(_way_back(place, step, version, outputs, call, ports))
        except Problem as problem:
            stays[step.id] = problem.detail
    steps = tuple(_act(number, back) for number, back in enumerate(found, start=1))
    return WaysBack(steps, tuple(_checks(found, ports)), stays)


def _way_back(
    place: StepState,
    step: PlanStep,
    version: PlanVersion,
    outputs: Mapping[str, Any],
    call: Call,
    ports: ExecutionPorts,
) -> _Back:
    looked = Looked(input_of(step, outputs, version, ports), place.captured, outputs.get(step.id))
    forward = invocation_of(version, step, "run", looked, ports, call)
    return _Back(step, forward, invocation_of(version, step, "undo", looked, ports, call))


def _needs_none(step: PlanStep) -> bool:
    return step.undo is None and step.reversibility is Reversibility.NONE_NEEDED


def _act(number: int, back: _Back) -> StepRequest:
    undo = back.undo
    return StepRequest(
        id=f"undo-{number}",
        name=f"Undo {back.step.id}",
        stage=Stage.ACT,
        tool=undo.tool,
        action=undo.action,
        input=undo.input,
    )


def _checks(found: list[_Back], ports: ExecutionPorts) -> Iterator[StepRequest]:
    """Yield what is read again. Of steps that changed the same thing, what was there before the first counts."""
    asked: dict[bytes, StepRequest] = {}
    for back in found:
        check = _check(back, ports)
        if check is not None:
            asked[canonical([check.tool, check.action, check.input])] = check
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
