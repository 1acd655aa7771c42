"""One attempt at one step: what is to be run, on which terms, under which plan. Read before anything starts."""

from dataclasses import dataclass
from typing import Any

from carapulse.approvals.model import Approval
from carapulse.executions.errors import StepRefused
from carapulse.executions.lifecycle import may_start
from carapulse.executions.messages import RunStep
from carapulse.executions.model import ExecutionState, StepState, StepStatus
from carapulse.executions.monitoring import Monitor
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.verdicts import Terms
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.plans.model import AUTOMATIC, PlanStep, PlanVersion
from carapulse.tools.model import Effect as ToolEffect
from carapulse.tools.model import Invocation, Mode, Outcome

_UNDO_ATTEMPTS = 3  # an undo is worth more than one try


@dataclass(frozen=True)
class Attempt:
    """Everything that one attempt needs to know."""

    message: RunStep
    state: ExecutionState
    version: PlanVersion
    step: PlanStep
    place: StepState
    approval: Approval | None
    earlier_output: Any
    held_for: float
    digest: str

    @property
    def is_next(self) -> bool:
        """Whether the decider asks for exactly this attempt."""
        message = self.message
        return may_start(self.state, message.step_id, message.phase, message.attempt)

    @property
    def was_started(self) -> bool:
        """Whether this very attempt was begun before: this is a second delivery of its message."""
        part = self.place.part(self.message.phase)
        return part.status is StepStatus.RUNNING and part.attempts == self.message.attempt

    @property
    def most(self) -> int:
        """How many attempts there may be."""
        wanted = self.step.retry.attempts
        return wanted if self.message.phase == "run" else max(_UNDO_ATTEMPTS, wanted)


def load_attempt(message: RunStep, call: Call, ports: ExecutionPorts) -> Attempt:
    """Read the execution, its plan version (digest checked) and the step."""
    with ports.begin(call) as work:
        state = work.executions.get(message.execution_id)
        version = work.plans.version(state.plan_id, state.plan_version)
        held_for = work.executions.held_for(message.execution_id, message.step_id, message.phase)
        place = state.step(message.step_id)
        approval = None if state.approval_id is None else work.approvals.get(state.approval_id)
        key = (message.execution_id, message.step_id)
        output = work.executions.output(*key, "run", place.run.fence) if message.phase == "undo" else None
    step = version.step(message.step_id)
    if step is None:
        raise StepRefused("the plan has no such step", step_id=message.step_id)
    return Attempt(message, state, version, step, place, approval, output, held_for, version.digest)


def invocation_of(attempt: Attempt, captured: Any, call: Call, ports: ExecutionPorts) -> Invocation:  # noqa: ANN401 - any JSON value
    """Return what is to be run: the step's action, or the way back from it; StepRefused if there is no way back."""
    step = attempt.step
    forward = Invocation(
        tool=step.tool,
        action=step.action,
        input=step.input,
        context=attempt.version.context,
        tenant=call.tenant,
        captured=captured,
    )
    if attempt.message.phase == "run":
        return forward
    if step.undo == AUTOMATIC:
        back = ports.catalogue.undo(forward, attempt.earlier_output)
        if back is None:
            raise StepRefused("what was captured before gives no way back", step_id=step.id)
        return back
    if step.undo is None:
        raise StepRefused("the step has no undo", step_id=step.id)
    return forward.model_copy(
        update={"tool": step.undo.tool, "action": step.undo.action, "input": step.undo.input, "captured": None}
    )


def ask_tool(attempt: Attempt, invocation: Invocation, monitor: Monitor, ports: ExecutionPorts) -> Outcome:
    """Run one invocation within the attempt's time. What it says is made fit for the log and the database."""
    is_question = invocation.mode is Mode.PROBE  # a cancel must not end the question what took place
    outcome = ports.toolbox.run(
        invocation,
        on_line=monitor.on_line,
        cancelled=ports.stopping if is_question else monitor.cancelled,
        deadline_s=attempt.step.timeout_s if is_question else deadline_of(attempt, ports),
    )
    said = {name: storable(getattr(outcome, name)) for name in ("output", "text", "detail")}
    return outcome.model_copy(update=said)


def terms_of(attempt: Attempt, invocation: Invocation, ports: ExecutionPorts) -> Terms:
    """Return what may be done about this attempt."""
    step, part = attempt.step, attempt.place.part(attempt.message.phase)
    action = ports.catalogue.action(invocation.tool, invocation.action)
    forward = attempt.message.phase == "run"
    return Terms(
        writes=action.effect is not ToolEffect.READ,
        idempotent=action.idempotent,
        has_probe=action.probe is not None,
        checks=forward and not step.mutating,
        attempt=attempt.message.attempt,
        attempts=attempt.most,
        backoff_s=step.retry.backoff_s,
        max_backoff_s=step.retry.max_backoff_s,
        prior=part.effect,
        expect=step.expect if forward else (),
    )


def deadline_of(attempt: Attempt, ports: ExecutionPorts) -> float:
    """Return how many seconds the tool may take: the step's limit, and for a run what is left of the execution's."""
    if attempt.message.phase == "undo":
        return attempt.step.timeout_s
    left = (attempt.state.deadline_at - ports.clock.now()).total_seconds()
    return max(0.1, min(attempt.step.timeout_s, left))
