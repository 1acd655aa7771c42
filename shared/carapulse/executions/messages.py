"""The messages of the queue driver."""

from typing import Any, ClassVar

from carapulse.executions.model import Phase
from carapulse.kernel.message import Message


class RunStep(Message):
    """Make one attempt at one step, or at its undo."""

    queue: ClassVar[str] = "executions"

    execution_id: str
    step_id: str
    phase: Phase
    attempt: int

    @property
    def key(self) -> tuple[str, str, Phase]:
        """Which step or undo of which execution."""
        return self.execution_id, self.step_id, self.phase

    @property
    def names(self) -> dict[str, Any]:
        """The same, as the fields that every event about it has."""
        return {"execution_id": self.execution_id, "step_id": self.step_id, "phase": self.phase}


class EndExecution(Message):
    """The execution's deadline: if it still runs, it has taken too long."""

    queue: ClassVar[str] = "timers"

    execution_id: str
