"""What attempts gave: kept in a row, or as a blob when it is too large for one."""

import json
from typing import Any

from carapulse.executions.journal import Output
from carapulse.executions.model import Phase
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.kernel.blobs import REFERENCE, Blobs, digest_of, fetched, stored
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import canonical
from carapulse.plans.steps import PlanStep
from carapulse.tools.model import Outcome

_LARGEST_IN_A_ROW = 65_536


def kept_output(step: PlanStep, place: tuple[Phase, int], outcome: Outcome, blobs: Blobs) -> Output | None:
    """Return what is to be kept of what an attempt (phase, fence) gave; None if it gave nothing."""
    if outcome.output is None and not outcome.text:
        return None
    content = canonical(outcome.output)
    kept = stored(content, _LARGEST_IN_A_ROW, blobs)
    if kept is not content:
        outcome = outcome.model_copy(update={"output": json.loads(kept)})
    phase, fence = place
    return Output(step.id, phase, fence, digest_of(content), outcome)


def outputs_of(execution_id: str, call: Call, ports: ExecutionPorts) -> dict[str, Any]:
    """Return what each step's run gave at last, by step, whole."""
    work: ExecutionWork
    with ports.begin(call) as work:
        found = work.executions.outputs(execution_id)
    return {step_id: _whole(value, ports.blobs) for step_id, value in found.items()}


def _whole(value: Any, blobs: Blobs) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and REFERENCE in value:
        return json.loads(fetched(canonical(value), blobs))
    return value
