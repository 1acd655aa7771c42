"""One step of a plan: what is done, in which stage, what must hold after it, and the way back."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from carapulse.kernel.moment import Moment
from carapulse.kernel.record import Record
from carapulse.tools.expectations import Expectation
from carapulse.tools.expressions import compiled
from carapulse.tools.model import Effect, JsonObject, Name, Reversibility, Risk

StepId = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$")]
AUTOMATIC: Literal["automatic"] = "automatic"


def _expression(text: str) -> str:
    compiled(text)
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this is before or after all time") from error


UtcMoment = Annotated[Moment, AfterValidator(_in_utc)]
Path = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$"), AfterValidator(_expression)
]


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


LEAST_REPEATS: Final = 3
"""Attempts that a lost or unknown outcome of a repeatable action gets, and what was never started, at the least."""


class Retry(Record):
    """How often a step may be tried, and how patiently."""

    attempts: int = Field(default=1, ge=1, le=100, strict=True)
    backoff_s: float = Field(default=1, gt=0, le=300, strict=True)
    max_backoff_s: float = Field(default=30, gt=0, le=3600, strict=True)


class UndoAction(Record):
    """The way back, spelled out."""

    tool: Name
    action: Name
    input: JsonObject = Field(default_factory=dict)


Undo = UndoAction | Literal["automatic"]


class OutputRef(Record):
    """A value that an earlier step puts out, found by a JMESPath when the step begins that needs it."""

    step: StepId
    path: Path


class Wait(Record):
    """Let time pass: until a moment, for some seconds, or until what the step asks about is as expected."""

    until: UtcMoment | None = None
    for_s: float | None = Field(default=None, gt=0, le=604_800, strict=True, allow_inf_nan=False)
    check_s: float | None = Field(
        default=None, gt=0, le=86_400, strict=True, allow_inf_nan=False, description="ask again for at most this long"
    )
    every_s: float = Field(
        default=5, ge=0.05, le=3600, strict=True, allow_inf_nan=False, description="how often; with check_s only"
    )

    @model_validator(mode="after")
    def _waits_for_one_thing(self) -> Self:
        if sum(each is not None for each in (self.until, self.for_s, self.check_s)) != 1:
            raise ValueError("exactly one of until, for_s and check_s is needed")
        if self.check_s is None and self.every_s != Wait.model_fields["every_s"].default:
            raise ValueError("every_s says how often check_s asks; nothing is asked here")
        return self

    @property
    def pauses(self) -> bool:
        """Whether nothing is asked or done, and only time passes."""
        return self.check_s is None


class Group(Record):
    """How the steps that were made of one step, one for each value, go together."""

    max_concurrency: int = Field(default=1, ge=1, le=50, strict=True, description="how many of them may run at once")
    max_failures: int = Field(default=0, ge=0, le=100, strict=True, description="how many of them may fail")


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
    when: str | None = Field(default=None, description="runs only if this finds true in what earlier steps came to")
    input_from: dict[str, OutputRef] = Field(default_factory=dict, description="input that earlier steps put out")
    wait: Wait | None = None
    deadline_s: float | None = Field(default=None, description="seconds for all attempts; null: as long as the run may")
    point_of_no_return: bool = Field(default=False, description="once it is done nobody means to go back")
    group: StepId | None = Field(default=None, description="the step of the request that it is one of")

    @property
    def mutating(self) -> bool:
        """Whether the step changes anything outside."""
        return self.effect is not Effect.READ

    @property
    def irreversible(self) -> bool:
        """Whether the step changes something and knows no way back."""
        return self.mutating and self.undo is None and self.reversibility is not Reversibility.NONE_NEEDED
