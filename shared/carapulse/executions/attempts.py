"""One attempt at one step, or at its undo: what is to be run, and on which terms."""

from dataclasses import dataclass
from typing import Any

from carapulse.executions.errors import StepRefused
from carapulse.executions.lifecycle import Start
from carapulse.executions.looking import Looked
from carapulse.executions.model import Effect, ExecutionState, Phase, Run
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.verdicts import Terms
from carapulse.executions.watching import Watched
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.plans.model import AUTOMATIC, PlanStep, PlanVersion, Stage
from carapulse.tools.model import Effect as ToolEffect
from carapulse.tools.model import Invocation, Mode, Outcome

_UNDO_ATTEMPTS = 3  # a way back is worth more than one try
_EVER = 1_000_000  # attempts, of a step that is asked until its time is over


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that is begun, or is to be taken over, with everything that its tool needs."""

    step: PlanStep
    phase: Phase
    number: int
    fence: int
    invocation: Invocation
    terms: Terms
    deadline_s: float
    simulated: str | None = None

    @property
    def names(self) -> dict[str, Any]:
        """The fields that every event about it has, but for the execution."""
        return {"step_id": self.step.id, "phase": self.phase, "fence": self.fence}


def invocation_of(
    version: PlanVersion, step: PlanStep, phase: Phase, looked: Looked, ports: ExecutionPorts, call: Call
) -> Invocation:
    """Return what is to be run: the step's action, or the way back from it; StepRefused if there is no way back."""
    forward = Invocation(
        tool=step.tool,
        action=step.action,
        input=looked.input,
        context=version.context,
        tenant=call.tenant,
        captured=looked.captured,
    )
    if phase == "run":
        return forward
    if step.undo == AUTOMATIC:
        back = ports.catalogue.undo(forward, looked.earlier_output)
        if back is None:
            raise StepRefused("what was captured before gives no way back", step_id=step.id)
        return back
    if step.undo is None:
        raise StepRefused("the step has no undo", step_id=step.id)
    return forward.model_copy(
        update={"tool": step.undo.tool, "action": step.undo.action, "input": step.undo.input, "captured": None}
    )


def terms_of(
    state: ExecutionState, step: PlanStep, start: Start, invocation: Invocation, ports: ExecutionPorts
) -> Terms:
    """Return what may be done about an attempt."""
    phase, part = start.phase, state.step(step.id).part(start.phase)
    action = ports.catalogue.action(invocation.tool, invocation.action)
    forward = phase == "run"
    polls = step.wait is not None and step.wait.check_s is not None
    return Terms(
        writes=action.effect is not ToolEffect.READ and not state.dry_run,
        idempotent=action.idempotent,
        has_probe=action.probe is not None,
        checks=forward and not step.mutating,
        attempt=start.attempt - part.spent,
        attempts=_EVER if polls else most_attempts(state, step, phase),
        backoff_s=step.wait.every_s if polls and step.wait else step.retry.backoff_s,
        max_backoff_s=step.wait.every_s if polls and step.wait else step.retry.max_backoff_s,
        prior=Effect.NONE if start.attempt == 1 else part.effect,  # a lost first attempt's own is no earlier one's
        undoes=_goes_back(state, step, phase),
        expect=step.expect if forward and (not state.dry_run or step.stage is Stage.DIAGNOSE) else (),
        deadline_s=step.deadline_s if forward else None,
    )


def most_attempts(state: ExecutionState, step: PlanStep, phase: Phase) -> int:
    """Return how many attempts there may be."""
    return max(_UNDO_ATTEMPTS, step.retry.attempts) if _goes_back(state, step, phase) else step.retry.attempts


def _goes_back(state: ExecutionState, step: PlanStep, phase: Phase) -> bool:
    """Return whether it is a way back: from what this run did, or from what another one did."""
    return phase == "undo" or (state.goes_back and step.mutating)


def time_left_s(state: ExecutionState, step: PlanStep, phase: Phase, part: Run, ports: ExecutionPorts) -> float:
    """Return how many seconds the tool may take: the step's limits, and for a run what is left of the execution's."""
    if phase == "undo":
        return step.timeout_s
    now = ports.clock.now()
    limits = [step.timeout_s, (state.deadline_at - now).total_seconds()]
    if step.deadline_s is not None and part.started_at is not None:
        limits.append(step.deadline_s - (now - part.started_at).total_seconds())
    return max(0.1, min(limits))


def simulation_of(step: PlanStep, invocation: Invocation, looked: Looked, ports: ExecutionPorts) -> str | None:
    """Return what a dry run says of a step whose tool can't be asked; None if it can.

    A change that has no dry run of its own can't be asked about, nor can what needs an output of the real run.
    """
    if looked.unknown:
        names = ", ".join(looked.unknown)
        return f"simulated: {invocation.tool} {invocation.action}; only a real run gives its {names}"
    if not step.mutating:
        return None
    if ports.catalogue.action(invocation.tool, invocation.action).dry_run is not None:
        return None
    return f"simulated: {invocation.tool} {invocation.action} would change {', '.join(step.targets) or 'something'}"


def ask_tool(invocation: Invocation, watched: Watched, deadline_s: float, ports: ExecutionPorts) -> Outcome:
    """Run one invocation. What it says is made fit for the log and the database."""
    is_question = invocation.mode is Mode.PROBE  # a cancel must not end the question what took place
    outcome = ports.toolbox.run(
        invocation,
        on_line=watched.on_line,
        cancelled=ports.stopping if is_question else watched.cancelled,
        deadline_s=deadline_s,
    )
    if not (outcome.output or outcome.text or outcome.detail):
        return outcome
    said = {name: storable(getattr(outcome, name)) for name in ("output", "text", "detail")}
    return outcome.model_copy(update=said)
