"""What can happen to an execution. Its events, applied in order, are its state."""

from typing import Any, Self

from pydantic import AwareDatetime, Field

from carapulse.executions.model import Cause, Effect, Phase, Status, StepError, StepFacts
from carapulse.kernel.call import Actor
from carapulse.kernel.errors import Problem
from carapulse.kernel.event import Event
from carapulse.kernel.record import Record
from carapulse.plans.steps import Group
from carapulse.policy.model import Reason


class ExecutionStarted(Event):
    """An approved plan version is being executed; its approval is used up."""

    execution_id: str
    plan_id: str
    plan_version: int
    digest: str
    approval_id: str | None
    requested_by: Actor
    deadline_at: AwareDatetime
    steps: tuple[StepFacts, ...]
    dry_run: bool = False
    undoes: str | None = None
    hold: bool = False
    max_concurrency: int = 1
    groups: dict[str, Group] = Field(default_factory=dict)


class Grant(Record):
    """What policy said of a step at the last moment; the reasons are told where it said no."""

    decision_id: str
    outcome: str
    policy_digest: str
    input_digest: str
    reasons: tuple[Reason, ...] = ()

    @classmethod
    def refused(cls, problem: Problem) -> Self | None:
        """Return what policy said, if it was policy that refused."""
        told = problem.facts
        return cls.model_validate({name: told[name] for name in cls.model_fields}) if "decision_id" in told else None


class StepStarted(Event):
    """The intent: from here on, the step may have had its effect. The fence is the right to say what came of it.

    `lease` names the worker's lease; `input_digest` is of what the tool was given.
    """

    execution_id: str
    step_id: str
    phase: Phase
    attempt: int
    fence: int
    lease: str | None = None
    input_digest: str | None = None
    captured: Any = None
    grant: Grant | None = None


class StepTakenOver(Event):
    """The worker that was at it is gone; another one finds out what came of it, under a fence of its own."""

    execution_id: str
    step_id: str
    phase: Phase
    fence: int
    lease: str


class StepSkipped(Event):
    """Its condition did not hold, so it is not done."""

    execution_id: str
    step_id: str
    condition: str


class StepDelayed(Event):
    """A step that only lets time pass has begun to."""

    execution_id: str
    step_id: str
    until: AwareDatetime


class StepSucceeded(Event):
    """The effect is there, or the check held."""

    execution_id: str
    step_id: str
    phase: Phase
    fence: int
    output_digest: str | None
    duration_ms: int
    by_probe: bool = False


class StepRetried(Event):
    """An attempt did not do it, and another will follow."""

    execution_id: str
    step_id: str
    phase: Phase
    fence: int
    error: StepError
    retry_at: AwareDatetime
    effect: Effect


class StepFailed(Event):
    """The step has failed for good, unless a person has it tried again. A fence of 0: it was never started."""

    execution_id: str
    step_id: str
    phase: Phase
    fence: int
    error: StepError
    effect: Effect
    grant: Grant | None = None


class StepUnknown(Event):
    """Nobody can tell whether the effect took place, and it must not be repeated: a person has to look."""

    execution_id: str
    step_id: str
    phase: Phase
    fence: int
    error: StepError


class RetryRequested(Event):
    """A person has a failed step tried again."""

    execution_id: str
    step_id: str
    note: str


class StepResolved(Event):
    """A person has looked, and says whether the effect of a step took place."""

    execution_id: str
    step_id: str
    done: bool
    note: str


class PauseRequested(Event):
    """What runs is finished, and nothing more is begun."""

    execution_id: str
    note: str | None = None


class ResumeRequested(Event):
    """It goes on."""

    execution_id: str
    note: str | None = None


class CancelRequested(Event):
    """Somebody wants it stopped: running steps are ended, and what was done is undone if `undo`."""

    execution_id: str
    undo: bool
    note: str | None = None


class DeadlinePassed(Event):
    """The execution has run for longer than the plan allows."""

    execution_id: str


class ExecutionUndoing(Event):
    """From here on, what took effect is undone in reverse order."""

    execution_id: str
    cause: Cause


class ExecutionHeld(Event):
    """It can't go on before a person has looked at these steps."""

    execution_id: str
    cause: Cause
    steps: tuple[str, ...]


class ExecutionFinished(Event):
    """The final status, and the steps whose effect is, or may be, still there against the will of the plan.

    Of a run that goes back on another, it is what was not gone back on, and what could not be verified.
    """

    execution_id: str
    status: Status
    cause: Cause | None
    left: tuple[str, ...]


class UndoPlanned(Event):
    """Somebody wants to go back on an execution that is over, by a plan of its own; `stays` has no way back."""

    execution_id: str
    undo_plan_id: str
    stays: tuple[str, ...] = ()
