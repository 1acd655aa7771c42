"""What passes between a state machine and us: which change it carries, what it asks, and what it is told. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from carapulse.executions.model import Phase
from carapulse.kernel.record import Record
from carapulse.plans.model import PlanStatus
from carapulse.plans.steps import Stage

LONGEST_WAIT_S: Final = 7 * 86_400
"""Seconds after which a machine asks again what is next, though nothing has happened."""

BROKEN: Final = "Broken"
"""The end of a machine that nobody can say what is next, and of one that another has taken over from."""

_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Asked(StrEnum):
    """What a machine asks for, by the name of the state that asks."""

    DECIDE = "Decide"
    AWAIT_APPROVAL = "AwaitApproval"
    AWAIT_START = "AwaitStart"
    AWAIT_PERSON = "AwaitPerson"
    AWAIT_TURN = "AwaitTurn"
    ATTEMPT = "Attempt"


AWAITED: Final = (Asked.AWAIT_APPROVAL, Asked.AWAIT_START, Asked.AWAIT_PERSON)
"""Where a whole change waits for somebody, and no computer with it."""

STEPS: Final = {stage: f"{stage.value.capitalize()}Steps" for stage in Stage}
"""The state in which the steps of a stage are attempted."""

UNDO_STEPS: Final = "UndoSteps"

ENDS: Final = {
    PlanStatus.REJECTED: "Denied",
    PlanStatus.EXPIRED: "Expired",
    PlanStatus.CLOSED: "Withdrawn",
}
"""The ends of a change that was never executed; those of an execution are its final statuses."""


class Change(Record):
    """Which change a machine carries, and which machine it is: another one is started if one is lost."""

    tenant: _Name
    plan_id: _Name
    generation: Annotated[int, Field(ge=1, le=100_000)]
    trace: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]

    @property
    def name(self) -> str:
        """The machine's name; nothing else ever has it."""
        return f"{self.plan_id}-{self.generation}"


class StepOf(Record):
    """One step of one execution, or its undo."""

    execution_id: _Name
    step_id: _Name
    phase: Phase


class Item(StepOf):
    """A step as a machine's Map has it: with the longest time, and the longest silence, that an attempt may take."""

    timeout_s: int = Field(ge=2)
    heartbeat_s: int = Field(ge=1)


class Told(Record):
    """What a machine does next: the name of a state, and what that state needs."""

    next: str
    wait_s: int = Field(1, ge=1, le=LONGEST_WAIT_S)
    width: int = Field(1, ge=1)
    steps: tuple[Item, ...] = ()


class Turn(StrEnum):
    """What a machine does with one step next."""

    ATTEMPT = "attempt"
    AWAIT = "await"
    LEAVE = "leave"


class TurnTold(Record):
    """What a machine does with one step next, and for how long it waits at most if it waits."""

    next: Turn
    wait_s: int = Field(1, ge=1, le=LONGEST_WAIT_S)


class Wait(Record):
    """Somewhere a machine stands still until it is told to go on, by a token that only we can read."""

    id: str
    plan_id: str
    asked: Asked
    step: StepOf | None = None
    token: str = Field(repr=False)
    until: AwareDatetime


class Machine(Record):
    """One machine of one change."""

    plan_id: str
    generation: int
    trace: str
    started: bool
    ended: bool
    moved_at: AwareDatetime | None = Field(None, description="when it was told something last; none for a new one")

    def change(self, tenant: str) -> Change:
        """Return what it carries."""
        return Change(tenant=tenant, plan_id=self.plan_id, generation=self.generation, trace=self.trace)


class MachineStatus(StrEnum):
    """How a machine is, as its cloud says it."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    GONE = "GONE"


def seconds_until(moment: datetime, at: datetime) -> int:
    """Return in how many whole seconds a moment has come, at least one, at most the longest wait."""
    return min(LONGEST_WAIT_S, max(1, -int((at - moment).total_seconds() // 1)))
