"""One step of a plan: what is done, in which stage, what must hold after it, and the way back."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from carapulse.kernel.record import Record
from carapulse.tools.expectations import Expectation
from carapulse.tools.model import Effect, JsonObject, Name, Reversibility, Risk

StepId = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$")]
AUTOMATIC: Literal["automatic"] = "automatic"


class Stage(StrEnum):
    """The stages of a run, in order. Only `act` and `report` may change something."""

    DIAGNOSE = "diagnose"
    ACT = "act"
    VERIFY = "verify"
    REPORT = "report"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(Stage).index(self)


class Retry(Record):
    """How often a step may be tried, and how patiently."""

    attempts: int = Field(default=1, ge=1, le=100)
    backoff_s: float = Field(default=1, gt=0, le=300)
    max_backoff_s: float = Field(default=30, gt=0, le=3600)


class UndoAction(Record):
    """The way back, spelled out."""

    tool: Name
    action: Name
    input: JsonObject = Field(default_factory=dict)


Undo = UndoAction | Literal["automatic"]


class PlanStep(Record):
    """One step, with what the catalogue said about it when the plan was drafted. All of it is in the digest."""

    id: StepId
    name: str | None = None
    stage: Stage
    position: int = Field(ge=1, description="the place in the plan, stage by stage")
    tool: str
    action: str
    input: JsonObject
    depends_on: tuple[StepId, ...] = ()
    expect: tuple[Expectation, ...] = ()
    undo: Undo | None = Field(description="automatic: the tool's own way back, from what was captured before")
    no_undo: str | None = Field(default=None, description="why there is no way back, where there is none")
    effect: Effect
    risk: Risk
    risk_reasons: tuple[str, ...] = ()
    reversibility: Reversibility
    idempotent: bool
    has_probe: bool
    timeout_s: float
    retry: Retry
    targets: tuple[str, ...] = ()
    unbounded: bool = False

    @property
    def mutating(self) -> bool:
        """Whether the step changes anything outside."""
        return self.effect is not Effect.READ

    @property
    def irreversible(self) -> bool:
        """Whether the step changes something and knows no way back."""
        return self.mutating and self.undo is None and self.reversibility is not Reversibility.NONE_NEEDED
