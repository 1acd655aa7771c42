"""What executions need from the world, in their own words."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from carapulse.approvals.ports import Approvals
from carapulse.executions.journal import Journal
from carapulse.executions.lines import Line
from carapulse.executions.model import ExecutionState, Status
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.moment import Moment
from carapulse.plans.ports import ShownWork
from carapulse.policy.ports import PolicyEngine
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.model import Invocation, Outcome

if TYPE_CHECKING:
    from carapulse.executions.rechecking import Judgements
    from carapulse.executions.versions import Versions
    from carapulse.executions.watching import Watch


class ExecutionFilter(Wanted):
    """Which executions are wanted, and which page of them."""

    plan_id: str | None = None
    status: Status | None = None
    since: Moment | None = Field(None, description="started not before this moment")
    until: Moment | None = Field(None, description="started before this moment")


class Executions(Protocol):
    """Where executions are kept. Every call is within one tenant and one transaction."""

    def get(self, execution_id: str) -> ExecutionState:
        """Return the execution, or raise ExecutionNotFound."""
        ...

    def lock(self, execution_id: str) -> ExecutionState:
        """Return the execution and keep others from changing it until this unit of work ends."""
        ...

    def add(self, state: ExecutionState, *, look_at: datetime) -> None:
        """Keep a new execution; Conflict if the plan has an active one."""
        ...

    def replace(self, state: ExecutionState, *, since: ExecutionState, look_at: datetime | None) -> None:
        """Keep the execution as it now is, and when the clock is to look after it; `since` is how it was read."""
        ...

    def page(self, wanted: ExecutionFilter) -> Page[ExecutionState]:
        """Return executions, newest first."""
        ...

    def lock_targets(self, execution_id: str, targets: Iterable[str]) -> None:
        """Hold every target for this execution, or raise TargetLocked and hold none."""
        ...

    def release(self, execution_id: str) -> None:
        """Let go of every target and every lease of an execution that is over; its workers may be lost."""
        ...

    def leases(self, execution_id: str) -> frozenset[str]:
        """Return the leases on an execution that hold now."""
        ...

    def renew(self, leases: Sequence[str], seconds: float) -> frozenset[str]:
        """Keep leases for so many seconds more, and return those that were still held."""
        ...

    def outputs(self, execution_id: str) -> dict[str, Any]:
        """Return what each step's run gave at last, by step."""
        ...

    def add_lines(self, execution_id: str, lines: Sequence[Line]) -> None:
        """Keep lines that tools wrote, in the order given."""
        ...

    def lines_after(self, execution_id: str, n: int, limit: int) -> list[Line]:
        """Return the lines after a number, in order."""
        ...


class ExecutionWork(ShownWork, Protocol):
    """A unit of work that can reach executions and what they stand on."""

    @property
    def executions(self) -> Executions:
        """The executions within this unit."""
        ...

    @property
    def approvals(self) -> Approvals:
        """The approvals within this unit."""
        ...


class Toolbox(Protocol):
    """The one way in which anything outside is read or changed."""

    def run(
        self,
        invocation: Invocation,
        *,
        on_line: Callable[[str], None],
        cancelled: threading.Event,
        deadline_s: float,
    ) -> Outcome:
        """Run one invocation and return what is known about its effect; raises Problem if nothing was changed."""
        ...


class ExecutionSettings(Protocol):
    """What an installation chose."""

    @property
    def visibility_s(self) -> float:
        """Seconds that a lease holds without a heartbeat."""
        ...

    @property
    def turn_s(self) -> float:
        """Seconds after which a worker leaves a run to others; it always makes the attempt that it came for."""
        ...

    @property
    def self_approval_environments(self) -> frozenset[str]:
        """The environments where a requester may approve."""
        ...


class ExecutionPorts(Protocol):
    """Everything the executions area asks of the application."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Every action there is."""
        ...

    @property
    def toolbox(self) -> Toolbox:
        """What runs actions."""
        ...

    @property
    def policy(self) -> PolicyEngine:
        """The judge."""
        ...

    @property
    def settings(self) -> ExecutionSettings:
        """What the installation chose."""
        ...

    @property
    def stopping(self) -> threading.Event:
        """Set when the program is to end: running tools are ended soon after."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Where outputs are kept that are too large for a row."""
        ...

    @property
    def journal(self) -> Journal:
        """The hot path."""
        ...

    @property
    def watch(self) -> "Watch":
        """What looks after the attempts of this process."""
        ...

    @property
    def versions(self) -> "Versions":
        """The versions that are run."""
        ...

    @property
    def judgements(self) -> "Judgements":
        """What policy has just answered."""
        ...

    def begin(self, call: Call) -> AbstractContextManager[Any]:
        """Open a unit of work for the caller's tenant: an ExecutionWork."""
        ...
