"""What plans need from the world, in the words of plans."""

from datetime import datetime
from typing import Any, Protocol

from pydantic import Field

from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.freezes.rules import Calendar
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.context import Context
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.errors import Fault
from carapulse.kernel.moment import Moment
from carapulse.kernel.record import Record
from carapulse.kernel.spelling import Flag
from carapulse.kernel.work import Work
from carapulse.plans.dry_runs import DryRuns
from carapulse.plans.model import Plan, PlanStatus, PlanVersion, Trigger
from carapulse.plans.requests import StepRequest, WorkflowRequest
from carapulse.plans.views import VersionSummary
from carapulse.policy.ports import PolicyEngine
from carapulse.tools.manifest import Action
from carapulse.tools.model import JsonObject, Risk, Targets


class PlanFilter(Wanted):
    """Which plans are wanted, and which page of them."""

    status: PlanStatus | None = None
    environment: str | None = None
    service: str | None = None
    risk: Risk | None = None
    trigger: Trigger | None = None
    requested_by: str | None = None
    created_after: Moment | None = Field(None, description="not before this moment")
    created_before: Moment | None = Field(None, description="before this moment")
    archived: Flag = Field(default=False, description="those that were put away, instead of those that were not")


class VersionFilter(Wanted):
    """Which page of a plan's versions is wanted."""


class Plans(Protocol):
    """Where plans are kept. Every call is within one tenant and one transaction."""

    def get(self, plan_id: str) -> Plan:
        """Return the plan, or raise PlanNotFound."""
        ...

    def lock(self, plan_id: str) -> Plan:
        """Return the plan and keep everybody else from changing it until the transaction ends."""
        ...

    def current(self, plan_id: str) -> tuple[Plan, PlanVersion]:
        """Return the plan and its current version, as they are at one moment; raises what the two would."""
        ...

    def version(self, plan_id: str, number: int, *, digest: str | None = None) -> PlanVersion:
        """Return one version with its digest checked, or raise VersionNotFound, CorruptRow or PlanChanged."""
        ...

    def versions(self, plan: Plan, wanted: VersionFilter) -> Page[VersionSummary]:
        """Return the versions of a plan, the newest first."""
        ...

    def add(self, plan: Plan, version: PlanVersion) -> None:
        """Keep a new plan and its first version."""
        ...

    def revise(self, plan: Plan, version: PlanVersion) -> None:
        """Keep a further version and make it the current one."""
        ...

    def replace(self, plan: Plan) -> None:
        """Keep the head of a plan as it now is."""
        ...

    def page(self, wanted: PlanFilter) -> Page[Plan]:
        """Return plans, the newest first."""
        ...


class Happened(Protocol):
    """The log, as it is read."""

    def page(self, wanted: EventFilter) -> Page[SealedEntry]:
        """Return events, the newest first."""
        ...


class ShownWork(Work, Protocol):
    """A unit of work that can reach what is shown of plans."""

    @property
    def plans(self) -> Plans:
        """The plans within this unit."""
        ...

    @property
    def dry_runs(self) -> DryRuns:
        """What was tried out, within this unit."""
        ...


class PlanWork(ShownWork, Protocol):
    """A unit of work that can reach plans and what happened to them."""

    @property
    def evidence(self) -> Happened:
        """The log within this unit."""
        ...


class Actions(Protocol):
    """The closed set of actions, and what can be said about a use of one before it runs."""

    def action(self, tool: str, action: str) -> Action:
        """Return one action, or raise UnknownAction."""
        ...

    def faults(
        self,
        tool: str,
        action: str,
        value: Any,  # noqa: ANN401 - any JSON value
        pointer: str = "",
        context: Context | None = None,
        *,
        later: frozenset[str] = ...,
    ) -> tuple[Fault, ...]:
        """Return what is wrong with an input. `later`: fields that are still to come, so that they are not missed."""
        ...

    def risk(self, tool: str, action: str, value: JsonObject) -> Risk:
        """Return the risk of one use."""
        ...

    def targets(self, tool: str, action: str, value: JsonObject, context: Context) -> Targets:
        """Return whom one use touches."""
        ...

    def digest(self, tool: str) -> str:
        """Return the digest of a tool's manifest, or raise UnknownAction."""
        ...


class Expanded(Record):
    """A workflow turned into steps, and what it was made from."""

    name: str
    version: int
    digest: str
    steps: tuple[StepRequest, ...]


class Recipes(Protocol):
    """Turns a workflow's name and input into steps."""

    def expand(self, wanted: WorkflowRequest, context: Context, call: Call) -> Expanded:
        """Return the steps, or raise WorkflowNotFound or WorkflowInputInvalid."""
        ...


class Envelopes(Protocol):
    """Asks people about a plan, and takes the question back, within the unit of work that keeps the plan."""

    def request(self, plan: Plan, work: Any, at: datetime) -> None:  # noqa: ANN401 - the approvals area types it
        """Ask whether exactly this version may be run."""
        ...

    def withdraw(self, plan: Plan, work: Any, at: datetime) -> None:  # noqa: ANN401 - the approvals area types it
        """Take an open question or an unused answer back, if there is one."""
        ...


class PlanSettings(Protocol):
    """What an installation chose."""

    @property
    def self_approval_environments(self) -> frozenset[str]:
        """The environments where a requester may approve."""
        ...


class Glances(Protocol):
    """What looks at a plan in passing, without a unit of work."""

    def at(self, plan_id: str, call: Call) -> tuple[Plan, PlanVersion, bool]:
        """Return the plan, its current version, and whether that was tried out in a dry run.

        Raises what `Plans.current` does.
        """
        ...


class PlanPorts(Protocol):
    """Everything the plans area asks of the application."""

    @property
    def glances(self) -> Glances:
        """What looks at plans."""
        ...

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def catalogue(self) -> Actions:
        """Every action there is."""
        ...

    @property
    def policy(self) -> PolicyEngine:
        """The judge."""
        ...

    @property
    def workflows(self) -> Recipes:
        """The recipes."""
        ...

    @property
    def envelopes(self) -> Envelopes:
        """The questions to people."""
        ...

    @property
    def settings(self) -> PlanSettings:
        """What the installation chose."""
        ...

    @property
    def calendar(self) -> Calendar:
        """The freezes and windows that were declared."""
        ...

    def begin(self, call: Call) -> PlanWork:
        """Open a unit of work for the caller's tenant."""
        ...
