"""Looking into what a source sent: one alert per ailing service, however often it is reported."""

from carapulse.intake.alertmanager import read_notification
from carapulse.intake.alerts import Affected, Alert, affected_services
from carapulse.intake.events import AlertOpened, AlertUnmatched
from carapulse.intake.messages import PlanAlert, SortAlerts
from carapulse.intake.model import Source
from carapulse.intake.ports import Delivery, IntakePorts, IntakeWork
from carapulse.intake.usecases import resolve
from carapulse.kernel.call import Call


def sort_alerts(message: SortAlerts, call: Call, ports: IntakePorts) -> None:
    """Work off what a source sent, in the order of arrival and one worker at a time.

    A repetition finds nothing to do. What was taken before the source was retired is worked off all the same.
    """
    with ports.begin(call) as work:
        source = work.sources.line_up(message.source_id)
        for delivery in work.deliveries.unsorted(source.id):
            for affected in affected_services(source, read_notification(delivery.payload)):
                _take_in(affected, delivery, source, call, work)
            work.deliveries.mark_sorted(delivery.id, call.at)


def _take_in(affected: Affected, delivery: Delivery, source: Source, call: Call, work: IntakeWork) -> None:
    alert = work.alerts.open_of(source.id, affected.key)
    if alert is None:
        _open(affected, delivery, source, work)
        return
    seen = alert.seen(affected, delivery.received_at)
    if not seen.firing:
        resolve(seen, delivery.received_at, call, work)
    elif affected.firing and seen.may_be_routed_again(source):
        _route_again(seen, affected, delivery, source, work)
    else:
        _go_on(seen, delivery, work)


def _open(affected: Affected, delivery: Delivery, source: Source, work: IntakeWork) -> None:
    if not affected.firing:
        return  # it is over, and nothing of it was ever open here
    alert = Alert.opened(affected, source, delivery.id, delivery.received_at, trusted=delivery.trusted)
    work.alerts.add(alert)
    _tell(alert, work)


def _route_again(alert: Alert, affected: Affected, delivery: Delivery, source: Source, work: IntakeWork) -> None:
    routed = alert.routed(affected, source, delivery.id, delivery.received_at)
    work.alerts.replace(routed)
    if routed.status != alert.status:
        _tell(routed, work)


def _go_on(alert: Alert, delivery: Delivery, work: IntakeWork) -> None:
    work.alerts.replace(alert)
    if alert.is_overdue(delivery.received_at):
        work.send(PlanAlert(alert_id=alert.id))


def _tell(alert: Alert, work: IntakeWork) -> None:
    """Record what was decided about an alert, and have it planned if a route fits."""
    facts = {
        "alert_id": alert.id,
        "key": alert.key,
        "delivery_id": alert.delivery_id,
        "alertname": alert.alertname,
        "service": alert.service,
        "severity": alert.severity,
    }
    if alert.route is None:
        work.record(alert.source_id, AlertUnmatched.model_validate(facts))
        return
    work.record(alert.source_id, AlertOpened.model_validate({**facts, "route": alert.route}))
    work.send(PlanAlert(alert_id=alert.id))
