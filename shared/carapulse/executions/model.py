"""What an execution is: its steps, how far each has come, and what is known of its effect. Pure values."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from carapulse.kernel.call import Actor
from carapulse.kernel.record import Record
from carapulse.plans.steps import Group, Stage

Phase = Literal["run", "undo"]


class Status(StrEnum):
    """Where an execution is in its life."""

    RUNNING = "running"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    NEEDS_HUMAN = "needs_human"

    @property
    def at_rest(self) -> bool:
        """Whether nothing more will happen by itself: it is over, or a person has to look."""
        return self not in {Status.RUNNING, Status.UNDOING}


class StepStatus(StrEnum):
    """Where one step, or its undo, is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_bad(self) -> bool:
        """Whether it failed, or nobody knows."""
        return self is StepStatus.FAILED or self is StepStatus.UNKNOWN


class Effect(StrEnum):
    """What is known of a step's effect on the real system."""

    NONE = "none"
    MAYBE = "maybe"
    DONE = "done"


class Cause(StrEnum):
    """Why an execution turned back or ended early."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"


class StepError(Record):
    """Why an attempt did not do what was asked: a stable code and a sentence, redacted."""

    code: str
    detail: str


class StepFacts(Record):
    """What the decider must know of a step; taken from the plan version when the execution starts."""

    id: str
    stage: Stage
    position: int
    depends_on: tuple[str, ...] = ()
    writes: bool
    undoable: bool
    targets: tuple[str, ...] = ()
    group: str | None = None
    waits: bool = Field(default=False, description="it only lets time pass, and asks no tool")


class Run(Record):
    """How far a step, or its undo, has come.

    `fence` is the number of the attempt that may say what came of it; `lease` names the worker that is at it. `spent`
    is how many attempts there were before a person asked for another one.
    """

    status: StepStatus = StepStatus.WAITING
    attempts: int = 0
    spent: int = 0
    fence: int = 0
    lease: str | None = None
    effect: Effect = Effect.NONE
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    retry_at: AwareDatetime | None = None
    output_digest: str | None = None
    error: StepError | None = None


class StepState(Record):
    """One step of one execution."""

    facts: StepFacts
    run: Run = Run()
    undo: Run | None = None
    captured: Any = None

    def part(self, phase: Phase) -> Run:
        """Return the run or the undo; an undo that has not been thought of yet is waiting."""
        return self.run if phase == "run" else self.undo or Run()

    @property
    def is_running(self) -> bool:
        """Whether it, or its undo, is being worked on."""
        if self.run.status is StepStatus.RUNNING:
            return True
        return self.undo is not None and self.undo.status is StepStatus.RUNNING

    @property
    def is_done(self) -> bool:
        """Whether it was done, or was not to be."""
        return self.run.status in {StepStatus.SUCCEEDED, StepStatus.SKIPPED}

    @property
    def is_to_be_undone(self) -> bool:
        """Whether it wrote, or may have, and has an undo that hasn't ended yet; what nobody knows is not undone."""
        return self.is_left and self.facts.undoable and self.is_known and self.part("undo").status is StepStatus.WAITING

    @property
    def is_known(self) -> bool:
        """Whether somebody could tell how it ended."""
        return self.run.status is not StepStatus.UNKNOWN

    @property
    def is_left(self) -> bool:
        """Whether its effect, or what may be its effect, is still there."""
        touched = self.facts.writes and self.run.effect is not Effect.NONE
        return touched and self.part("undo").status is not StepStatus.SUCCEEDED


class ExecutionState(Record):
    """Everything that decides what comes next. Equal to the execution's events, applied in order."""

    id: str
    plan_id: str
    plan_version: int
    digest: str
    approval_id: str | None
    requested_by: Actor
    dry_run: bool = False
    undoes: str | None = Field(default=None, description="the run that it goes back on; nothing of that is done again")
    hold: bool = Field(default=False, description="a failure waits for a person instead of being undone at once")
    max_concurrency: int = 1
    groups: dict[str, Group] = Field(default_factory=dict)
    status: Status = Status.RUNNING
    cause: Cause | None = None
    cancel_undo: bool | None = None
    expired: bool = False
    paused: bool = False
    fences: int = 0
    steps: tuple[StepState, ...]
    started_at: AwareDatetime
    deadline_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    left: tuple[str, ...] = ()

    @property
    def goes_back(self) -> bool:
        """Whether it goes back on another run, so that to go on is what is wanted, and never to do that again."""
        return self.undoes is not None

    @property
    def over(self) -> bool:
        """Whether it has its final status."""
        return self.finished_at is not None

    @property
    def running(self) -> tuple[tuple[StepState, Phase, Run], ...]:
        """The steps and undos that are being worked on."""
        parts: tuple[Phase, ...] = ("run", "undo")
        found = ((step, phase, step.part(phase)) for step in self.steps for phase in parts)
        return tuple(each for each in found if each[2].status is StepStatus.RUNNING)

    @property
    def is_at_work(self) -> bool:
        """Whether some step or undo is being worked on."""
        return any(step.is_running for step in self.steps)

    def step(self, step_id: str) -> StepState:
        """Return the step of that id."""
        return next(step for step in self.steps if step.facts.id == step_id)

    def with_step(self, changed: StepState) -> "ExecutionState":
        """Return this state with one step replaced."""
        steps = tuple(changed if step.facts.id == changed.facts.id else step for step in self.steps)
        return self.model_copy(update={"steps": steps})
