"""Taking a message in: first its proof, then its shape, then one write, and an answer at once."""

from datetime import datetime
from hashlib import sha256

from carapulse.intake.alertmanager import Notification, read_notification
from carapulse.intake.errors import SourceRefused, WebhookReplayed
from carapulse.intake.events import AlertReceived
from carapulse.intake.messages import SortAlerts
from carapulse.intake.model import Source, source_actor
from carapulse.intake.ports import Delivery, IntakePorts
from carapulse.intake.signing import SignatureHeaders, verify_signature, verify_token
from carapulse.intake.usecases import purpose_of
from carapulse.intake.views import Received
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.observe import get_logger
from carapulse.wire import read_json

log = get_logger(__name__)


class Webhook(Record):
    """A message as it came: whom it claims to be from, how it proves that, and its body, not yet read."""

    source_id: str
    headers: SignatureHeaders = SignatureHeaders()
    token: str | None = None
    body: bytes
    trace: str


def receive_alerts(webhook: Webhook, ports: IntakePorts) -> Received:
    """Keep what a registered source reports and have it looked into.

    The tenant is the registration's. Raises SourceRefused for every sender that can't prove itself, before a byte of
    the body is parsed; WebhookReplayed for a message that was taken before.
    """
    at = ports.clock.now()
    try:
        call, source, webhook_id = _verified(webhook, at, ports)
    except SourceRefused as refusal:
        log.warning("webhook_refused", source_id=webhook.source_id, why=refusal.why)
        raise
    payload = read_json(webhook.body)
    notification = read_notification(payload)
    delivery_id = new_id("delivery")
    delivery = Delivery(
        id=delivery_id,
        source_id=source.id,
        webhook_id=webhook_id or delivery_id,
        trusted=source.trusted,
        body_digest="sha256:" + sha256(webhook.body).hexdigest(),
        payload=payload,
        received_at=at,
    )
    with ports.begin(call) as work:
        if not work.deliveries.add(delivery):
            raise WebhookReplayed("this message was taken before", webhook_id=delivery.webhook_id)
        work.record(source.id, _received(delivery, notification))
        work.send(SortAlerts(source_id=source.id))
    log.info("alerts_received", source_id=source.id, delivery_id=delivery_id, alerts=len(notification.alerts))
    return Received(delivery_id=delivery_id)


def _verified(webhook: Webhook, at: datetime, ports: IntakePorts) -> tuple[Call, Source, str | None]:
    """Return the source that proved itself, its call and, for a signed message, its id; or raise SourceRefused."""
    sender = ports.source_directory.find(webhook.source_id)
    if sender is None:
        raise SourceRefused("no source has this id")
    call = Call(actor=source_actor(sender.name), tenant=sender.tenant, at=at, trace=webhook.trace)
    with ports.begin(call) as work:
        source = work.sources.get(webhook.source_id)
        credentials = work.sources.credentials(source.id, at)
    if source.trusted != (webhook.token is None):
        raise SourceRefused("the source was registered to prove itself in the other way")
    if webhook.token is not None:
        verify_token(webhook.token, [each.token_digest for each in credentials if each.token_digest])
        return call, source, None
    secrets = [
        ports.sealer.open(each.sealed, purpose_of(each.id, source.id, call.tenant))
        for each in credentials
        if each.sealed
    ]
    return call, source, verify_signature(webhook.headers, webhook.body, secrets, at)


def _received(delivery: Delivery, notification: Notification) -> AlertReceived:
    return AlertReceived(
        delivery_id=delivery.id,
        source_id=delivery.source_id,
        webhook_id=delivery.webhook_id,
        trusted=delivery.trusted,
        body_digest=delivery.body_digest,
        group_key=notification.group_key,
        alerts=len(notification.alerts),
        truncated=notification.truncated_alerts,
    )
