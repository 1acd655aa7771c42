"""What approvals need from the world."""

from datetime import datetime
from typing import Protocol

from carapulse.approvals.model import Approval, ApprovalStatus
from carapulse.freezes.rules import Calendar
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.plans.ports import PlanSettings, ShownWork
from carapulse.policy.ports import PolicyEngine


class ApprovalFilter(Wanted):
    """Which approvals are wanted, and which page of them."""

    status: ApprovalStatus | None = None
    plan_id: str | None = None


class Approvals(Protocol):
    """Where approvals are kept. Every call is within one tenant and one transaction."""

    def get(self, approval_id: str) -> Approval:
        """Return the approval, or raise ApprovalNotFound."""
        ...

    def open_for(self, plan_id: str) -> Approval | None:
        """Return the one open approval of a plan, if there is one, locked until the transaction ends."""
        ...

    def latest_for(self, plan_id: str) -> Approval | None:
        """Return the approval of a plan that was asked for last, if any was."""
        ...

    def add(self, approval: Approval) -> None:
        """Keep a new approval; a plan has at most one that is open."""
        ...

    def replace(self, approval: Approval, *, since: Approval) -> None:
        """Keep the approval as it now is, with the answers that are new; `since` is how it was read."""
        ...

    def page(self, wanted: ApprovalFilter, at: datetime) -> Page[Approval]:
        """Return approvals, the newest first. What ran out of time is not pending, even if nobody noted it yet."""
        ...


class ApprovalWork(ShownWork, Protocol):
    """A unit of work that can reach approvals and plans. Whoever changes an approval locks its plan first."""

    @property
    def approvals(self) -> Approvals:
        """The approvals within this unit."""
        ...


class ApprovalPorts(Protocol):
    """Everything the approvals area asks of the application."""

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

    @property
    def calendar(self) -> Calendar:
        """The freezes and windows that were declared."""
        ...

    def begin(self, call: Call) -> ApprovalWork:
        """Open a unit of work for the caller's tenant."""
        ...
