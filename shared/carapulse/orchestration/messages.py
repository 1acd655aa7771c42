"""What the functions that carry a state machine are sent: by us when something has happened, by it when it asks."""

from collections.abc import Iterable
from typing import ClassVar

from carapulse.kernel.message import ORCHESTRATION, Message
from carapulse.orchestration.model import Asked, Change, StepOf


class ConductPlan(Message):
    """Something has happened to a plan: start its machine, or have it look again. A second one does no harm.

    `ended` is the generation of a machine that its cloud says has ended.
    """

    queue: ClassVar[str] = ORCHESTRATION

    plan_id: str
    ended: int | None = None


class MachineAsked(Message):
    """A machine stands still, and asks to be told what is next, or when it may go on. The token is sealed."""

    queue: ClassVar[str] = ORCHESTRATION

    plan_id: str
    change: Change
    asked: Asked
    step: StepOf | None = None
    token: str


class AttemptAsked(Message):
    """A machine has a step attempted, and waits for what becomes of it. The token is sealed."""

    queue: ClassVar[str] = "executions"

    execution_id: str
    change: Change
    step: StepOf
    token: str


def bells_for(streams: Iterable[str]) -> list[Message]:
    """Return what the machines of those streams' plans are told after something was recorded about them."""
    return [ConductPlan(plan_id=stream) for stream in sorted({each for each in streams if each.startswith("plan_")})]
