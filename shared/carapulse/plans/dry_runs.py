"""What a dry run of a plan showed, as its approvers see it."""

from datetime import datetime
from typing import Protocol

from carapulse.kernel.record import Record
from carapulse.plans.steps import Stage


class DryStep(Record):
    """What one step said in a dry run: what it would change, or what it read."""

    step_id: str
    stage: Stage
    status: str
    said: str | None


class DryRun(Record):
    """A dry run of one version of a plan."""

    execution_id: str
    version: int
    status: str
    started_at: datetime
    finished_at: datetime | None
    steps: tuple[DryStep, ...]


class DryRuns(Protocol):
    """What the dry runs of plans showed."""

    def latest(self, plan_id: str, version: int) -> DryRun | None:
        """Return the newest dry run of exactly this version, if there was one."""
        ...
