"""What answering about access needs from the world."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.plans.ports import PlanSettings
from carapulse.policy.ports import PolicyEngine


class AccessPorts(Protocol):
    """Everything that is asked of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def policy(self) -> PolicyEngine:
        """The judge."""
        ...

    @property
    def settings(self) -> PlanSettings:
        """What the installation chose."""
        ...

    def begin(self, call: Call) -> AbstractContextManager[Any]:
        """Open a unit of work for the caller's tenant: an ApprovalWork."""
        ...
