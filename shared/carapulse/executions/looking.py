"""What must be looked at before a step may begin: its condition, the outputs that it takes, the state before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carapulse.executions.errors import StepRefused
from carapulse.executions.model import ExecutionState, Phase, StepStatus
from carapulse.executions.outputs import outputs_of
from carapulse.executions.ports import ExecutionPorts
from carapulse.kernel.call import Call
from carapulse.plans.model import PlanStep, PlanVersion
from carapulse.tools.expressions import look_up
from carapulse.tools.model import Effect, JsonObject


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: the input as the tool gets it, what was captured, what the run gave, whether to skip it.

    `unknown` are fields of the input that a dry run can't know, because only a real run puts them out.
    """

    input: JsonObject
    captured: Any = None
    earlier_output: Any = None
    skip: bool = False
    unknown: tuple[str, ...] = ()


def needs_outputs(step: PlanStep, phase: Phase) -> bool:
    """Return whether earlier outputs have to be read."""
    return bool(step.input_from) or (phase == "run" and step.when is not None) or phase == "undo"


def look(
    state: ExecutionState, version: PlanVersion, step: PlanStep, phase: Phase, call: Call, ports: ExecutionPorts
) -> Looked:
    """Return what is known without asking the tool; StepRefused if an output is not what its place can take."""
    place = state.step(step.id)
    begins = place.part(phase).status is StepStatus.WAITING  # what is begun already is not skipped any more
    if not needs_outputs(step, phase):
        return Looked(step.input, place.captured)
    outputs = outputs_of(state.id, call, ports)
    if begins and phase == "run" and step.when is not None and not _holds(step, state, outputs):
        return Looked(step.input, skip=True)
    if state.dry_run and (unknown := _unknown(step, outputs, version)):
        return Looked(step.input, unknown=unknown)
    return Looked(input_of(step, outputs, version, ports), place.captured, outputs.get(step.id))


def _holds(step: PlanStep, state: ExecutionState, outputs: Mapping[str, Any]) -> bool:
    steps = {
        each.facts.id: {"status": each.run.status.value, "output": outputs.get(each.facts.id)} for each in state.steps
    }
    answer = look_up(step.when or "", {"steps": steps})
    if not isinstance(answer, bool):
        if state.dry_run:  # what was only simulated has no output to decide by, and to go on does no harm
            return True
        raise StepRefused("the condition is neither true nor false", step_id=step.id, condition=step.when)
    return answer


def _unknown(step: PlanStep, outputs: Mapping[str, Any], version: PlanVersion) -> tuple[str, ...]:
    """Return the fields whose values only a real run puts out: by a change, or by what was itself only simulated."""
    return tuple(
        name
        for name, source in step.input_from.items()
        if _is_simulated(outputs.get(source.step)) or any(s.id == source.step and s.mutating for s in version.steps)
    )


def _is_simulated(output: object) -> bool:
    return isinstance(output, dict) and output.keys() == {"simulated"}


def input_of(step: PlanStep, outputs: Mapping[str, Any], version: PlanVersion, ports: ExecutionPorts) -> JsonObject:
    """Return the input with the outputs that it takes, held to everything that was judged of the step."""
    if not step.input_from:
        return step.input
    value = dict(step.input)
    for name, source in step.input_from.items():
        found = look_up(source.path, outputs.get(source.step))
        if found is None:
            raise StepRefused(f"{source.step} gave nothing for {name}", step_id=step.id, path=source.path)
        value[name] = found
    faults = ports.catalogue.faults(step.tool, step.action, value, "/input", version.context)
    if faults:
        raise StepRefused(f"an output does not fit: {faults[0].pointer}: {faults[0].detail}", step_id=step.id)
    if ports.catalogue.risk(step.tool, step.action, value) > step.risk:
        raise StepRefused("with this output the step is riskier than what was judged", step_id=step.id)
    if step.effect is not Effect.READ:
        targets = ports.catalogue.targets(step.tool, step.action, value, version.context)
        if not set(targets.names) <= set(step.targets) or (targets.unbounded and not step.unbounded):
            raise StepRefused("with this output the step touches what was not judged", step_id=step.id)
    return value
