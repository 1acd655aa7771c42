"""What an administrator can ask of sources, and anybody of alerts. One function is one thing that can be asked for."""

from datetime import datetime, timedelta

from pydantic import Field

from carapulse.intake.alerts import Alert
from carapulse.intake.errors import AlertClosed, SourceNotFound
from carapulse.intake.events import AlertResolved, CredentialIssued, SourceChanged, SourceRegistered, SourceRetired
from carapulse.intake.messages import ClosePlanOfAlert
from carapulse.intake.model import Credential, Registration, Source
from carapulse.intake.ports import AlertFilter, IntakePorts, IntakeWork
from carapulse.intake.signing import new_secret, new_token, token_digest
from carapulse.intake.views import Issued, SourceView, view_of
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.cursor import Page
from carapulse.kernel.ids import new_id
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.kernel.record import Record

_WEEK = 604_800


class RotateCredential(Record):
    """Ask for a new proof, and say for how long the older ones are still good."""

    older_for_s: int = Field(86_400, ge=0, le=_WEEK, strict=True)


def register_source(
    name: str, registration: Registration, call: Call, ports: IntakePorts, seen: Match = WHICHEVER
) -> Issued:
    """Register a source, or change its registration; the same again changes nothing.

    The proof is in the answer when the source is new or proves itself in another way from now on, and never again.
    """
    registration.check()
    with ports.begin(call) as work:
        known = work.sources.named(name)
        seen.check(None if known is None else _view(known, call, work))
        if known is None:
            return _add(name, registration, call, ports, work)
        if known.registration == registration:
            return Issued(source=_view(known, call, work), created=False)
        return _change(known, registration, call, ports, work)


def list_sources(call: Call, ports: IntakePorts) -> Page[SourceView]:
    """Return every source, by name."""
    with ports.begin(call) as work:
        return Page(data=tuple(_view(source, call, work) for source in work.sources.listed()))


def get_source(name: str, call: Call, ports: IntakePorts) -> SourceView:
    """Return a source; its proofs are named, never shown."""
    with ports.begin(call) as work:
        return _view(_known(name, work), call, work)


def rotate_credential(name: str, command: RotateCredential, call: Call, ports: IntakePorts) -> Issued:
    """Give a source a new proof; the older ones hold for a while, so that no message is lost in between."""
    with ports.begin(call) as work:
        source = _known(name, work).written_by(call.actor)
        work.sources.replace(source)
        older_until = call.at + timedelta(seconds=command.older_for_s)
        work.sources.expire(source.id, call.at, older_until)
        proof = _issue(source, older_until, call, ports, work)
        return Issued.of(_view(source, call, work), proof, created=False)


def retire_source(name: str, call: Call, ports: IntakePorts, seen: Match = WHICHEVER) -> None:
    """Let a source report no more. What it reported stays, and so do the plans that came of it."""
    with ports.begin(call) as work:
        source = _known(name, work)
        seen.check(_view(source, call, work))
        work.sources.retire(source, call.at)
        work.record(source.id, SourceRetired(source_id=source.id, name=source.name))


def list_alerts(wanted: AlertFilter, call: Call, ports: IntakePorts) -> Page[Alert]:
    """Return alerts, the newest first."""
    with ports.begin(call) as work:
        return work.alerts.page(wanted)


def get_alert(alert_id: str, call: Call, ports: IntakePorts) -> Alert:
    """Return one alert."""
    with ports.begin(call) as work:
        return work.alerts.get(alert_id)


def close_alert(alert_id: str, call: Call, ports: IntakePorts) -> Alert:
    """Say that an alert is over although its source never did; when it fires again, it is a new one."""
    with ports.begin(call) as work:
        alert = work.alerts.lock(alert_id)
        if alert.closed_at is not None:
            raise AlertClosed("the alert is over already", alert_id=alert_id, closed_at=alert.closed_at)
        return resolve(alert, call.at, call, work)


def resolve(alert: Alert, at: datetime, call: Call, work: IntakeWork) -> Alert:
    """Keep an alert as over, and have the plan that it led to closed."""
    over = alert.resolved(at)
    work.alerts.replace(over)
    work.record(alert.source_id, AlertResolved(alert_id=alert.id, plan_id=alert.plan_id, by=call.actor.id))
    if alert.plan_id is not None:
        work.send(ClosePlanOfAlert(alert_id=alert.id))
    return over


def purpose_of(credential_id: str, source_id: str, tenant: str) -> str:
    """Return what a signing secret is sealed for, so that it opens in its own row alone."""
    return f"{tenant}/{source_id}/{credential_id}"


def _known(name: str, work: IntakeWork) -> Source:
    source = work.sources.named(name)
    if source is None:
        raise SourceNotFound("no such source", name=name)
    return source


def _add(name: str, registration: Registration, call: Call, ports: IntakePorts, work: IntakeWork) -> Issued:
    made = Source(id=new_id("src"), name=name, registration=registration, created_at=call.at, updated_at=call.at)
    source = made.written_by(call.actor)
    work.sources.add(source)
    registered = SourceRegistered(
        source_id=source.id,
        name=name,
        trust=registration.trust,
        registration=digest(registration.model_dump(mode="json")),
    )
    work.record(source.id, registered)
    proof = _issue(source, None, call, ports, work)
    return Issued.of(_view(source, call, work), proof, created=True)


def _change(known: Source, registration: Registration, call: Call, ports: IntakePorts, work: IntakeWork) -> Issued:
    source = known.changed(registration, call.actor, call.at)
    work.sources.replace(source)
    changed = SourceChanged(
        source_id=source.id,
        name=source.name,
        trust=registration.trust,
        revision=source.revision,
        registration=digest(registration.model_dump(mode="json")),
    )
    work.record(source.id, changed)
    if registration.trust == known.registration.trust:
        return Issued(source=_view(source, call, work), created=False)
    work.sources.expire(source.id, call.at, call.at)
    proof = _issue(source, call.at, call, ports, work)
    return Issued.of(_view(source, call, work), proof, created=False)


def _issue(source: Source, older_until: datetime | None, call: Call, ports: IntakePorts, work: IntakeWork) -> str:
    """Keep a new proof in a form that can't be read, and return it in clear for the one answer that shows it."""
    credential_id = new_id("cred")
    kept: dict[str, str]
    if source.trusted:
        proof = new_secret()
        kept = {"sealed": ports.sealer.seal(proof, purpose_of(credential_id, source.id, call.tenant))}
    else:
        proof = new_token()
        kept = {"token_digest": token_digest(proof)}
    work.sources.issue(Credential(id=credential_id, source_id=source.id, created_at=call.at, **kept))
    issued = CredentialIssued(
        source_id=source.id,
        credential_id=credential_id,
        older_until=older_until.isoformat() if older_until else None,
    )
    work.record(source.id, issued)
    return proof


def _view(source: Source, call: Call, work: IntakeWork) -> SourceView:
    return view_of(source, work.sources.credentials(source.id, call.at))
