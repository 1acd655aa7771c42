"""What can be asked of plans. One function is one thing an operator can ask for."""

from dataclasses import dataclass
from datetime import datetime

from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.ids import new_id
from carapulse.observe import get_logger
from carapulse.plans.decisions import PlanDecision, decision_of
from carapulse.plans.drafting import Draft, draft
from carapulse.plans.events import PlanClosed, PlanDrafted, PlanRefused
from carapulse.plans.judging import asked_now
from carapulse.plans.model import Plan, PlanStatus, PlanVersion
from carapulse.plans.ports import PlanFilter, PlanPorts, PlanWork, ShownWork
from carapulse.plans.requests import ClosePlan, CreatePlan, Origin
from carapulse.plans.timeline import TimelineEntry, entry_of
from carapulse.plans.views import PlanDiff, PlanRisk, PlanSummary, PlanView
from carapulse.policy.document import Action, PolicyInput
from carapulse.policy.model import Decision, PolicyDecided
from carapulse.policy.usecases import enforce, judge

_CREATE = Action(name="plan.create", type="write")
_HERE = Origin()
_PAGE = 200
log = get_logger(__name__)


def create_plan(command: CreatePlan, call: Call, ports: PlanPorts, origin: Origin = _HERE) -> PlanView:
    """Draft a plan, have policy judge it, and keep it with the question to people that policy asks for.

    What policy denies is not kept: the refusal is an event in the stream of the plan that never was, and the caller
    gets PolicyDenied with the reasons.
    """
    at = ports.clock.now()
    version = drafted(Draft(plan_id=origin.plan_id or new_id("plan"), request=command, origin=origin), call, ports, at)
    judged = _judged(version, call, ports, at)
    plan = Plan.of(version, judged.decision, self_approval=judged.self_approval)
    with ports.begin(call) as work:
        work.plans.add(plan, version)
        _tell(plan, version, judged, work, ports)
    log.info("plan_drafted", plan_id=plan.id, risk=plan.risk, decision=plan.decision, digest=plan.digest)
    return PlanView.with_steps(plan, version)


def revise_plan(plan_id: str, command: CreatePlan, call: Call, ports: PlanPorts) -> PlanView:
    """Make a further version of a plan: drafted, judged and answered anew. No earlier answer counts for it.

    It stays as trusted as the plan was, about the same alert, and by the same authors' doing, whoever revises it.
    """
    at = ports.clock.now()
    with ports.begin(call) as work:
        plan, former = work.plans.current(plan_id)
    origin = Origin(trusted=former.trusted, meta=former.meta, authors=former.authors)
    wanted = Draft(plan_id=plan.id, version=plan.version + 1, request=command, origin=origin)
    version = drafted(wanted, call, ports, at)
    judged = _judged(version, call, ports, at)
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        revised = plan.revised(version, judged.decision, self_approval=judged.self_approval)
        ports.envelopes.withdraw(plan, work, at)
        work.plans.revise(revised, version)
        _tell(revised, version, judged, work, ports)
    log.info("plan_revised", plan_id=plan.id, version=version.version, decision=revised.decision)
    return PlanView.with_steps(revised, version)


def get_plan(plan_id: str, call: Call, ports: PlanPorts) -> PlanView:
    """Return a plan with its current version's steps."""
    plan, version, is_tried_out = ports.glances.at(plan_id, call)
    if not is_tried_out:
        return PlanView.with_steps(plan, version)
    with ports.begin(call) as work:
        return _shown(plan, version, work)


def shown_plan(plan: Plan, work: ShownWork) -> PlanView:
    """Return what is shown now of a plan that is at hand."""
    return _shown(plan, work.plans.version(plan.id, plan.version), work)


def _shown(plan: Plan, version: PlanVersion, work: ShownWork) -> PlanView:
    return PlanView.with_steps(plan, version, work.dry_runs.latest(plan.id, plan.version))


def list_plans(wanted: PlanFilter, call: Call, ports: PlanPorts) -> Page[PlanSummary]:
    """Return plans, the newest first."""
    with ports.begin(call) as work:
        page = work.plans.page(wanted)
    return Page(data=tuple(PlanSummary.of(plan) for plan in page.data), next_cursor=page.next_cursor)


def diff_plan(plan_id: str, against: int | None, call: Call, ports: PlanPorts) -> PlanDiff:
    """Return what each step would change; against another version, also how the two versions differ."""
    with ports.begin(call) as work:
        plan, version = work.plans.current(plan_id)
        other = None if against is None else work.plans.version(plan.id, against)
    return PlanDiff.of(version, other)


def risk_plan(plan_id: str, call: Call, ports: PlanPorts) -> PlanRisk:
    """Return how dangerous a plan is, step by step and why, and how far it reaches."""
    with ports.begin(call) as work:
        return PlanRisk.of(*work.plans.current(plan_id))


def read_timeline(plan_id: str, call: Call, ports: PlanPorts) -> tuple[TimelineEntry, ...]:
    """Return everything that happened to a plan, from its first event to its last."""
    return tuple(entry_of(event) for event in _happened(plan_id, call, ports))


def read_decisions(plan_id: str, call: Call, ports: PlanPorts) -> tuple[PlanDecision, ...]:
    """Return everything that policy decided about a plan, from the first time it was asked to the last."""
    return tuple(each for event in _happened(plan_id, call, ports) if (each := decision_of(event)) is not None)


def close_plan(plan_id: str, command: ClosePlan, call: Call, ports: PlanPorts) -> PlanSummary:
    """Close a plan that is not wanted any more. One that is closed already stays as it is."""
    with ports.begin(call) as work:
        plan = work.plans.lock(plan_id)
        if plan.status is PlanStatus.CLOSED:
            return PlanSummary.of(plan)
        closed = plan.closed()
        work.plans.replace(closed)
        ports.envelopes.withdraw(closed, work, ports.clock.now())
        work.record(plan.id, PlanClosed(plan_id=plan.id, reason=command.reason))
    log.info("plan_closed", plan_id=plan.id)
    return PlanSummary.of(closed)


def _happened(plan_id: str, call: Call, ports: PlanPorts) -> list[SealedEntry]:
    """Return the plan's stream, in order."""
    found: list[SealedEntry] = []
    with ports.begin(call) as work:
        plan = work.plans.get(plan_id)
        wanted = EventFilter(stream=plan.id, limit=_PAGE)
        while True:
            page = work.evidence.page(wanted)
            found += page.data
            if page.next_cursor is None:
                return found[::-1]
            wanted = wanted.model_copy(update={"cursor": page.next_cursor})


@dataclass(frozen=True, slots=True)
class _Judged:
    """What policy said about a version, and what it was told."""

    asked: PolicyInput
    decision: Decision
    self_approval: bool
    at: datetime


def drafted(wanted: Draft, call: Call, ports: PlanPorts, at: datetime) -> PlanVersion:
    """Return the version that is wanted, its workflow expanded; raises PlanInvalid, or what the workflow says."""
    workflow, context = wanted.request.workflow, wanted.request.context
    expanded = workflow and ports.workflows.expand(workflow, context, call)
    return draft(wanted.model_copy(update={"expanded": expanded}), call, ports.catalogue, at)


def _judged(version: PlanVersion, call: Call, ports: PlanPorts, at: datetime) -> _Judged:
    """Return what policy said. A denial is recorded and raised as PolicyDenied, no answer as PolicyUnavailable."""
    environments = ports.settings.self_approval_environments
    asked = asked_now(version, call, _CREATE, ports, at)
    decision = judge(asked, ports.policy)
    if decision.outcome == "deny":
        with ports.begin(call) as work:
            work.record(version.plan_id, PlanRefused.of(version))
            work.record(version.plan_id, PolicyDecided.of(decision, asked))
        log.info("plan_refused", plan_id=version.plan_id, risk=version.risk, decision_id=decision.id)
        enforce(decision)
    return _Judged(asked, decision, version.context.environment in environments, at)


def _tell(plan: Plan, version: PlanVersion, judged: _Judged, work: PlanWork, ports: PlanPorts) -> None:
    work.record(plan.id, PlanDrafted.of(version))
    work.record(plan.id, PolicyDecided.of(judged.decision, judged.asked))
    if plan.status is PlanStatus.AWAITING_APPROVAL:
        ports.envelopes.request(plan, work, judged.at)
