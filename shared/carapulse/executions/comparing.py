"""What was planned beside what was run, step by step."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, JsonValue

from carapulse.executions.errors import StepRefused
from carapulse.executions.looking import input_of
from carapulse.executions.model import ExecutionState, Status, StepError, StepState, StepStatus
from carapulse.executions.outputs import outputs_of
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.views import PartView
from carapulse.kernel.call import Call
from carapulse.kernel.record import Record
from carapulse.plans.model import PlanStep, PlanVersion
from carapulse.plans.steps import OutputRef, Stage
from carapulse.tools.expectations import Expectation, unmet
from carapulse.tools.expressions import look_up
from carapulse.tools.model import Effect, JsonObject

Outcome = Literal["done", "skipped", "failed", "unknown", "running", "waiting", "not_reached"]
_SIMPLE: Mapping[StepStatus, Outcome] = {
    StepStatus.SUCCEEDED: "done",
    StepStatus.SKIPPED: "skipped",
    StepStatus.FAILED: "failed",
    StepStatus.UNKNOWN: "unknown",
    StepStatus.RUNNING: "running",
}


class Seen(Record):
    """What was expected of a step, and what was there."""

    expected: Expectation
    found: JsonValue
    holds: bool


class StepDiff(Record):
    """One step as it was planned, and what became of it.

    `seen` is null where no output is kept: of what failed the error says what was otherwise than expected.
    """

    step_id: str
    name: str | None
    stage: Stage
    tool: str
    action: str
    effect: Effect
    when: str | None
    planned_input: JsonObject
    input_from: dict[str, OutputRef]
    input: JsonObject | None = Field(description="with what earlier steps put out; null if it never got one")
    outcome: Outcome
    attempts: int
    error: StepError | None
    expect: tuple[Expectation, ...]
    seen: tuple[Seen, ...] | None
    undo: PartView | None
    left: bool = Field(description="whether its effect is, or may be, still there")

    @classmethod
    def of(cls, place: StepState, step: PlanStep, **found: Any) -> Self:  # noqa: ANN401 - the rest of the fields
        """Return a step beside what became of it."""
        facts: dict[str, Any] = {
            name: getattr(step, name) for name in PlanStep.model_fields if name in cls.model_fields
        }
        facts |= {
            "step_id": step.id,
            "planned_input": step.input,
            "undo": PartView.of(place.undo) if place.undo else None,
        }
        facts |= {"attempts": place.run.attempts, "error": place.run.error, "left": place.is_left}
        return cls(**facts | found)


class ExecutionDiff(Record):
    """A plan beside one run of it. `as_planned`: every step was done, or skipped as its condition says."""

    execution_id: str
    plan_id: str
    plan_version: int
    digest: str
    status: Status
    dry_run: bool
    as_planned: bool
    outcomes: dict[Outcome, int]
    undone: tuple[str, ...]
    left: tuple[str, ...]
    steps: tuple[StepDiff, ...]


def diff_execution(execution_id: str, call: Call, ports: ExecutionPorts) -> ExecutionDiff:
    """Return what was planned beside what was run."""
    with ports.begin(call) as work:
        state: ExecutionState = work.executions.get(execution_id)
        version: PlanVersion = work.plans.version(state.plan_id, state.plan_version)
    outputs = outputs_of(execution_id, call, ports)
    steps = tuple(_compared(step, state, version, outputs, ports) for step in version.steps)
    undone = tuple(each.step_id for each in steps if each.undo and each.undo.status is StepStatus.SUCCEEDED)
    return ExecutionDiff(
        execution_id=state.id,
        plan_id=state.plan_id,
        plan_version=state.plan_version,
        digest=state.digest,
        status=state.status,
        dry_run=state.dry_run,
        as_planned=state.status is Status.SUCCEEDED and not undone,
        outcomes=dict(Counter(each.outcome for each in steps)),
        undone=undone,
        left=state.left,
        steps=steps,
    )


def _compared(
    step: PlanStep, state: ExecutionState, version: PlanVersion, outputs: Mapping[str, Any], ports: ExecutionPorts
) -> StepDiff:
    place = state.step(step.id)
    outcome = _SIMPLE.get(place.run.status) or ("not_reached" if state.over else "waiting")
    value = _input(step, version, outputs, ports) if place.run.attempts else None
    was_checked = step.id in outputs and (not state.dry_run or step.stage is Stage.DIAGNOSE)
    seen = _seen(step, outputs[step.id]) if was_checked else None
    return StepDiff.of(place, step, input=value, outcome=outcome, seen=seen)


def _input(
    step: PlanStep, version: PlanVersion, outputs: Mapping[str, Any], ports: ExecutionPorts
) -> JsonObject | None:
    """Return the input that the step was given; None if an output did not fit, so that it was given none."""
    try:
        return input_of(step, outputs, version, ports)
    except StepRefused:
        return None


def _seen(step: PlanStep, output: Any) -> tuple[Seen, ...]:  # noqa: ANN401 - any JSON value
    missed = [each.expectation for each in unmet(step.expect, output)]
    return tuple(
        Seen(expected=each, found=look_up(each.path, output), holds=each not in missed) for each in step.expect
    )
