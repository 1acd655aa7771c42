"""From an alert to the plan that its route asks for, and back when the alert is over."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import ValidationError

from carapulse.intake.alertmanager import Instance, Notification, faults_of, read_notification
from carapulse.intake.alerts import Affected, Alert, scope_of
from carapulse.intake.errors import RouteGone, TemplateUnfilled
from carapulse.intake.events import AlertPlanClosed, AlertPlanFailed, AlertPlanKept, AlertPlanned
from carapulse.intake.messages import ClosePlanOfAlert, PlanAlert
from carapulse.intake.model import Route
from carapulse.intake.ports import IntakePorts, IntakeWork
from carapulse.intake.templates import fill
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Conflict, NotFound, Problem
from carapulse.observe import get_logger
from carapulse.plans.ports import PlanPorts, PlanWork
from carapulse.plans.reasons import reasons_of
from carapulse.plans.requests import ClosePlan, CreatePlan, Origin
from carapulse.plans.usecases import close_plan, create_plan

_LONGEST_INTENT = 4000
log = get_logger(__name__)


class PlanningWork(IntakeWork, PlanWork, Protocol):
    """A unit of work that can reach alerts and plans."""


class PlanningPorts(IntakePorts, PlanPorts, Protocol):
    """Everything that is asked of the application to turn an alert into a plan."""

    def begin(self, call: Call) -> PlanningWork:
        """Open a unit of work for the caller's tenant."""
        ...


def plan_alert(message: PlanAlert, call: Call, ports: PlanningPorts) -> None:
    """Make the plan that an open alert asks for. A repetition changes nothing: the plan's id was minted before.

    Whatever is wrong with the route or refused by policy leaves the alert visible as failed, with the reasons; only
    what can be expected to pass by itself is raised, for the message to come again.
    """
    with ports.begin(call) as work:
        alert = work.alerts.get(message.alert_id)
    try:
        if alert.status == "open" and not _is_planned(alert, call, ports):
            wanted, authors = _wanted(alert, call, ports)
            create_plan(wanted, call, ports, _origin(alert, authors))
    except Problem as problem:
        if problem.retryable:
            raise
        if not _is_planned(alert, call, ports):
            _fail(alert, problem, call, ports)
    if _is_planned(alert, call, ports):
        _settle(alert, call, ports)


def close_plan_of_alert(message: ClosePlanOfAlert, call: Call, ports: PlanningPorts) -> None:
    """Close the plan of an alert that is over. A plan that runs, or has ended, is left as it is."""
    with ports.begin(call) as work:
        alert = work.alerts.get(message.alert_id)
    if alert.plan_id is None or alert.closed_at is None:
        return
    kept = None
    try:
        close_plan(alert.plan_id, ClosePlan(reason=f"{alert.id} is resolved"), call, ports)
    except Conflict as conflict:
        kept = conflict.detail
    facts = {"alert_id": alert.id, "plan_id": alert.plan_id}
    with ports.begin(call) as work:
        if kept is None:
            work.record(alert.source_id, AlertPlanClosed.model_validate(facts))
        else:
            work.record(alert.source_id, AlertPlanKept.model_validate({**facts, "reason": kept}))


def _is_planned(alert: Alert, call: Call, ports: PlanningPorts) -> bool:
    with ports.begin(call) as work:
        try:
            work.plans.get(alert.intended_plan_id)
        except NotFound:
            return False
        return True


def _settle(alert: Alert, call: Call, ports: PlanningPorts) -> None:
    with ports.begin(call) as work:
        now = work.alerts.lock(alert.id)
        if now.plan_id is not None:
            return
        planned = now.planned(alert.intended_plan_id)
        work.alerts.replace(planned)
        route = alert.route or ""
        work.record(alert.source_id, AlertPlanned(alert_id=alert.id, plan_id=alert.intended_plan_id, route=route))
        if planned.closed_at is not None:
            work.send(ClosePlanOfAlert(alert_id=alert.id))
    log.info("alert_planned", alert_id=alert.id, plan_id=alert.intended_plan_id)


def _fail(alert: Alert, problem: Problem, call: Call, ports: PlanningPorts) -> None:
    reasons = reasons_of(problem)
    with ports.begin(call) as work:
        now = work.alerts.lock(alert.id)
        if now.status != "open":
            return
        work.alerts.replace(now.failed(reasons))
        work.record(alert.source_id, AlertPlanFailed(alert_id=alert.id, route=alert.route, reasons=reasons))
    log.warning("alert_not_planned", alert_id=alert.id, code=problem.code)


def _wanted(alert: Alert, call: Call, ports: PlanningPorts) -> tuple[CreatePlan, tuple[str, ...]]:
    """Return what is asked for, and by whose doing."""
    with ports.begin(call) as work:
        source = work.sources.get(alert.source_id)
        notification = read_notification(work.deliveries.get(alert.delivery_id).payload)
    route = source.route_named(alert.route)
    if route is None:
        raise RouteGone("the route is not registered any more", route=alert.route)
    instance = next(each for each in notification.alerts if each.labels == alert.labels)
    scope = scope_of(_affected(alert, instance, notification), instance, notification)
    value, faults = fill(route.input, scope, "/input")
    place = {name: each for name, each in dict(route.context).items() if each is not None}
    context, more = fill(place, scope, "/context")
    if faults or more:
        raise TemplateUnfilled("the alert lacks what its route asks for", faults=(*faults, *more))
    wanted = {
        "summary": alert.summary,
        "intent": _intent(instance),
        "trigger": "alert",
        "context": {"service": alert.service, **source.registration.context.model_dump(exclude_none=True), **context},
        "workflow": {"name": route.workflow, "input": value},
    }
    return _valid(wanted, route), source.authors


def _valid(wanted: Mapping[str, object], route: Route) -> CreatePlan:
    try:
        return CreatePlan.model_validate(wanted)
    except ValidationError as error:
        raise TemplateUnfilled(
            "the alert has values that no plan takes", faults=faults_of(error), route=route.name
        ) from error


def _affected(alert: Alert, instance: Instance, notification: Notification) -> Affected:
    firing = tuple(each for each in notification.alerts if each.fingerprint in alert.firing)
    return Affected(key=alert.key, alertname=alert.alertname, service=alert.service, instances=firing or (instance,))


def _intent(instance: Instance) -> str | None:
    """Return what the alert says about itself. It is shown to people; nothing is ever decided by its words."""
    said = instance.annotations.get("description") or instance.annotations.get("summary")
    return said[:_LONGEST_INTENT] if said else None


def _origin(alert: Alert, authors: tuple[str, ...]) -> Origin:
    return Origin(
        plan_id=alert.intended_plan_id,
        trusted=alert.trusted,
        authors=authors,
        meta={
            "source": alert.source,
            "source_id": alert.source_id,
            "alert_id": alert.id,
            "alertname": alert.alertname,
            "key": alert.key,
            "delivery_id": alert.delivery_id,
        },
    )
