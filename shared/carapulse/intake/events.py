"""What happens at the intake. Each is a fact in the stream of its source; none holds a secret or a payload."""

from carapulse.kernel.event import Event
from carapulse.plans.reasons import Reason


class SourceRegistered(Event):
    """Somebody may report from now on."""

    source_id: str
    name: str
    trust: str
    registration: str


class SourceChanged(Event):
    """What a source's alerts lead to, or how it proves itself, is another than before."""

    source_id: str
    name: str
    trust: str
    revision: int
    registration: str


class SourceRetired(Event):
    """A source may not report any more; its proofs are gone."""

    source_id: str
    name: str


class CredentialIssued(Event):
    """A source has a new proof. The older ones hold until a moment, or are gone already where there is none."""

    source_id: str
    credential_id: str
    older_until: str | None


class AlertReceived(Event):
    """A delivery was verified and kept; its digest is over the body as it came."""

    delivery_id: str
    source_id: str
    webhook_id: str
    trusted: bool
    body_digest: str
    group_key: str
    alerts: int
    truncated: int


class AlertOpened(Event):
    """A service is reported as ailing, and a route fits: a plan will be tried."""

    alert_id: str
    key: str
    delivery_id: str
    alertname: str
    service: str | None
    severity: str | None
    route: str


class AlertUnmatched(Event):
    """A service is reported as ailing, and no route fits: people see it, no plan is made."""

    alert_id: str
    key: str
    delivery_id: str
    alertname: str
    service: str | None
    severity: str | None


class AlertPlanned(Event):
    """An alert led to a plan."""

    alert_id: str
    plan_id: str
    route: str


class AlertPlanFailed(Event):
    """An alert should have led to a plan and did not; the reasons say what to correct."""

    alert_id: str
    route: str | None
    reasons: tuple[Reason, ...]


class AlertResolved(Event):
    """An alert is over: its source said so, or a person did."""

    alert_id: str
    plan_id: str | None
    by: str


class AlertPlanClosed(Event):
    """The plan of an alert that is over was closed, as it had not been started."""

    alert_id: str
    plan_id: str


class AlertPlanKept(Event):
    """The plan of an alert that is over goes on or had ended already; the reason says which."""

    alert_id: str
    plan_id: str
    reason: str
