"""The lines that tools write while they run."""

from dataclasses import dataclass
from datetime import datetime

from carapulse.executions.model import Phase


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a tool wrote, redacted; `n` is its place among the execution's lines once it is kept."""

    execution_id: str
    step_id: str
    phase: Phase
    at: datetime
    line: str
    n: int = 0
